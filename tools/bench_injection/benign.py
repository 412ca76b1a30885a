"""How much of texts that hold no injection is left out all the same."""

import html
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from rag_llm_system.application.rag.injection.scoring import addressed, sentence_count
from rag_llm_system.application.rag.retrieved_text import visible
from rag_llm_system.domain.documents import Value
from rag_llm_system.settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "benchmarks" / "injection.md"
PASSAGE_CHARS = 1500
_SUFFIXES = (".html", ".md", ".py", ".rst", ".txt")
_SHOWN_CHARS = 160


class Benign(Value):
    """``lost`` are the sentences that were left out, their beginnings; times are the processor's, of one passage."""

    name: str
    passages: int
    passages_hit: int
    sentences: int
    lost: tuple[str, ...]
    mean_ms: float
    p99_ms: float

    @property
    def share(self) -> float:
        return self.passages_hit / self.passages if self.passages else 0.0


def own_texts() -> dict[str, list[Path]]:
    """What comes with the project, but for the page of this benchmark: it holds the signals themselves."""
    docs = {*PROJECT_ROOT.glob("*.md"), *(PROJECT_ROOT / "docs").rglob("*.md")} - {PAGE}
    return {
        "the project's examples": files(PROJECT_ROOT / "examples"),
        "the project's documentation, without this page": sorted(docs),
    }


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)


def measure(name: str, paths: Iterable[Path]) -> Benign:
    passages = hit = sentences = 0
    lost: list[str] = []
    times: list[float] = []
    for text in map(_text, paths):
        for passage in map(visible, _passages(text)):
            began = time.process_time()
            found = addressed(passage)
            times.append(1000 * (time.process_time() - began))
            passages += 1
            sentences += sentence_count(passage)
            hit += bool(found)
            lost += [" ".join(passage[one.start : one.end].split())[:_SHOWN_CHARS] for one in found]
    times.sort()
    return Benign(
        name=name,
        passages=passages,
        passages_hit=hit,
        sentences=sentences,
        lost=tuple(lost),
        mean_ms=sum(times) / max(1, len(times)),
        p99_ms=times[int(0.99 * (len(times) - 1))] if times else 0.0,
    )


def _text(path: Path) -> str:
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix != ".html":
        return text
    blocks = re.sub(r"</(?:p|h\d|li|div|tr|pre)>", "\n\n", text)
    return html.unescape(re.sub(r"<[^>]+>", " ", blocks))


def _passages(text: str) -> Iterator[str]:
    """Whole paragraphs, about as many characters as a passage of a prompt has."""
    waiting = ""
    for paragraph in re.split(r"\n\s*\n", text):
        if waiting and len(waiting) + len(paragraph) > PASSAGE_CHARS:
            yield waiting
            waiting = ""
        waiting = f"{waiting}\n\n{paragraph}" if waiting else paragraph
        while len(waiting) > 2 * PASSAGE_CHARS:
            yield waiting[:PASSAGE_CHARS]
            waiting = waiting[PASSAGE_CHARS:]
    if waiting.strip():
        yield waiting
