"""Leaves out of passages what addresses the model instead of its reader."""

from collections.abc import Sequence

from rag_llm_system.application.rag.injection.scoring import Addressed, Span, addressed
from rag_llm_system.application.rag.retrieved_text import visible
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.documents import Value

LEFT_OUT = "[…]"
"""Stands in the place of a sentence: readers know it from quotations, and a model finds nothing to do in it."""


class Removed(Value):
    """A sentence that was left out of passage ``n``, and the signals by which it was found."""

    n: int
    text: str
    signals: tuple[str, ...]


class Defended(Value):
    """``notes`` are for the reader of the answer."""

    passages: tuple[ContextChunk, ...]
    removed: tuple[Removed, ...] = ()
    notes: tuple[str, ...] = ()


def defended(passages: Sequence[ContextChunk]) -> Defended:
    """The passages without hidden characters and without sentences that address a model; numbers and order stay.

    Their ``start`` and ``end`` tell where they come from: the text there may be longer. Takes linear time.
    """
    kept: list[ContextChunk] = []
    removed: list[Removed] = []
    for passage in passages:
        content = visible(passage.content)
        found = addressed(content)
        headings = {heading: addressed(heading) for heading in (passage.title, *passage.headings)}
        text, window = _without(content, found, _window(passage, content), passage.start_line > 0)
        kept.append(
            passage.model_copy(
                update={
                    "content": text,
                    "window": window,
                    "title": "" if headings[passage.title] else visible(passage.title),
                    "headings": tuple(visible(h) for h in passage.headings if not headings[h]),
                }
            )
        )
        removed += [
            Removed(n=passage.n, text=whole[one.start : one.end], signals=one.signals)
            for whole, ones in (*headings.items(), (content, found))
            for one in ones
        ]
    return Defended(passages=tuple(kept), removed=tuple(removed), notes=_notes(removed))


def _window(passage: ContextChunk, content: str) -> Span:
    """Of the content without hidden characters."""
    if content == passage.content:
        return passage.window
    start, end = passage.window
    return len(visible(passage.content[:start])), len(visible(passage.content[:end]))


def _without(
    content: str, found: Sequence[Addressed], window: Span, keep_lines: bool
) -> tuple[str, Span]:
    """The text with a mark for each run of sentences, and where the window is then.

    ``keep_lines``: as many as before, since a source with line numbers is cited by them.
    """
    parts: list[str] = []
    start, end = window
    at = written = 0
    for one in found:
        between = content[at : one.start]
        lines = content.count("\n", one.start, one.end) if keep_lines else 0
        is_next = bool(parts) and not between.strip() and not keep_lines
        mark = ("" if is_next else LEFT_OUT) + "\n" * lines
        parts += ["" if is_next else between, mark]
        at = one.end
        written += len(parts[-2]) + len(mark)
        start = _moved(window[0], one, written, len(mark), start)
        end = _moved(window[1], one, written, len(mark), end)
    parts.append(content[at:])
    text = "".join(parts)
    return text, (min(start, len(text)), min(max(start, end), len(text)))


def _moved(place: int, cut: Addressed, written: int, mark: int, now: int) -> int:
    """Where a place of the whole text is after a cut whose mark ends at ``written``."""
    if place >= cut.end:
        return written + place - cut.end
    return written - mark if place > cut.start else now


def _notes(removed: Sequence[Removed]) -> tuple[str, ...]:
    numbers = [f"[{n}]" for n in dict.fromkeys(one.n for one in removed)]
    if not numbers:
        return ()
    holds = "holds" if len(numbers) == 1 else "hold"
    return (f"{', '.join(numbers)} {holds} text that addresses the model; it was left out.",)
