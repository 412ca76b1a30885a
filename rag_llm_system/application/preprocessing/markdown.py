"""Tells the code of a Markdown text from its prose: by lines, and within a line."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rag_llm_system.application.preprocessing.spans import Span

# A fence opens with at least three backticks or tildes and closes with as many of the same; it may stand in a list
# or in a quotation. A line of backticks with more of them later is inline code.
_FENCE = re.compile(r"^(?P<quote>[ \t]*(?:>[ \t]*)*)(?P<mark>`{3,}(?=[^`]*$)|~{3,})")
_INDENTED = re.compile(r"(?: {4}|\t)\s*\S")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])\s")
_BACKTICKS = re.compile("`+")
_HTML_CODE = re.compile(r"</?(?:code|pre|kbd|samp)\b[^<>]*>", re.IGNORECASE)


@dataclass
class _Place:
    """Where a walk over lines is: in which fence, after a blank line, in a list, in an indented block."""

    fence: str = ""
    quoted: bool = False
    after_blank: bool = True
    in_list: bool = False
    indented: bool = False
    waiting: list[str] = field(default_factory=list)


def code_or_prose(text: str) -> Iterator[tuple[bool, str]]:
    """Lines without their ends, each with whether it is code: fenced, or indented after a blank line.

    Blank lines between the lines of an indented block belong to it.
    """
    place = _Place()
    for line in text.split("\n"):
        if place.indented and not line.strip():
            place.waiting.append(line)
            place.after_blank = True
            continue
        is_code = _fenced(line, place) or _indented(line, place)
        for blank in place.waiting:
            yield place.indented and is_code, blank
        place.waiting.clear()
        yield is_code, line
    for blank in place.waiting:
        yield False, blank


def _fenced(line: str, place: _Place) -> bool:
    found = None if place.indented and _INDENTED.match(line) else _FENCE.match(line)
    if place.fence:
        if place.quoted and not line.lstrip().startswith(">"):
            place.fence = ""  # the quotation that held the fence has ended
            return _fenced(line, place)
        if found and found["mark"].startswith(place.fence) and not line.strip(" `~\t\r>"):
            place.fence = ""
        return True
    if found:
        place.fence, place.quoted = found["mark"], ">" in found["quote"]
        place.after_blank, place.indented = False, False
    return bool(found)


def _indented(line: str, place: _Place) -> bool:
    blank = not line.strip()
    if place.fence:
        return False
    starts = place.after_blank and not (place.in_list and _LIST_ITEM.match(line))
    place.indented = not blank and (place.indented or starts) and bool(_INDENTED.match(line))
    if not blank and not place.indented:
        continues = line.startswith((" ", "\t")) or not place.after_blank
        place.in_list = bool(_LIST_ITEM.match(line)) or (place.in_list and continues)
    place.after_blank = blank
    return place.indented


def code_blocks(text: str) -> list[Span]:
    """Spans of the runs of code lines, line end of the last one not included."""
    found: list[Span] = []
    at, previous = 0, False
    for is_code, line in code_or_prose(text):
        if is_code and previous:
            found[-1] = (found[-1][0], at + len(line))
        elif is_code:
            found.append((at, at + len(line)))
        previous = is_code
        at += len(line) + 1
    return found


def outside_inline_code(text: str, change: Callable[[str], str]) -> str:
    """``change`` applied to what stands between spans of inline code, Markdown's and HTML's."""
    parts, at = [], 0
    for start, end in _inline_code(text):
        parts += [change(text[at:start]), text[start:end]]
        at = end
    return "".join([*parts, change(text[at:])])


def _inline_code(text: str) -> Iterator[Span]:
    """From a run of backticks to the next run of the same length; in linear time, however many are left open."""
    runs = [m.span() for m in _BACKTICKS.finditer(text)] if "`" in text else []
    tags = [m.span() for m in _HTML_CODE.finditer(text)] if "<" in text else []
    marks = sorted(runs + tags)
    closers: dict[str, int] = {}
    ends: list[int] = []  # of the partner of each mark, or 0
    for start, end in reversed(marks):
        mark = text[start:end]
        ticks, closing = mark[0] == "`", mark.startswith("</")
        name = mark if ticks else _tag_name(mark)
        ends.append(0 if closing else closers.get(name, 0))
        if ticks or closing:
            closers[name] = end
    at = 0
    for (start, _), end in zip(marks, reversed(ends), strict=True):
        if end and start >= at:
            yield start, end
            at = end


def _tag_name(mark: str) -> str:
    return re.split(r"[\s>]", mark.strip("</").casefold(), maxsplit=1)[0]
