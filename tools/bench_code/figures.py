"""What was measured: kept in a file between runs, so that a part can be measured again and the page written anew."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from rag_llm_system.application.evaluation.code_questions import Half, Kind
from rag_llm_system.application.evaluation.whole_files import write_whole
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import DataError


class Answered(Value):
    """``rank`` of the first hit, None when none was found; ``chars``: what one reads up to the end of it."""

    corpus: str
    kind: Kind
    half: Half
    question: str
    rank: int | None
    chars: int = 0


class Run(Value):
    """One way of searching, over all questions. ``size`` is that of its chunks; the times are of a user's search."""

    way: str
    size: str
    answered: tuple[Answered, ...]
    p50_ms: float
    p95_ms: float


class Indexed(Value):
    """A code base at one size of chunks; ``seconds`` is 0 where it was indexed already."""

    corpus: str
    version: str
    size: str
    files: int
    chunks: int
    seconds: float


class Scaled(Value):
    """``mined_s`` of ``index_s`` is reading the files; ``peak_mb`` that of all processes."""

    files: int
    text_mb: float
    chunks: int
    mined_s: float
    index_s: float
    p50_ms: float
    p95_ms: float
    disk_mb: float
    peak_mb: float


class Reindexed(Value):
    """A run over the same code base."""

    what: str
    files: int
    embedded_files: int
    chunks: int
    mined_s: float
    seconds: float


class Part(Value):
    """One part of the page and what its figures depend on."""

    facts: Mapping[str, str]
    command: str
    runs: tuple[Run, ...] = ()
    indexed: tuple[Indexed, ...] = ()
    scaled: tuple[Scaled, ...] = ()
    reindexed: tuple[Reindexed, ...] = ()


class Figures(Value):
    """By the name of the part."""

    parts: Mapping[str, Part] = {}

    def with_part(self, name: str, part: Part) -> "Figures":
        return Figures(parts={**self.parts, name: part})


def read_figures(path: Path) -> Figures:
    """None yet where there is no such file."""
    if not path.exists():
        return Figures()
    try:
        return Figures.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise DataError(
            f"{path} holds no figures of this benchmark; remove it, or name another file"
        ) from error


def write_figures(path: Path, figures: Figures) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, figures.model_dump_json(indent=1) + "\n")


def with_rows(rows: Sequence[Scaled], more: Sequence[Scaled]) -> tuple[Scaled, ...]:
    """Those of ``more`` replace those of as many files."""
    return tuple(n for _, n in sorted({row.files: row for row in (*rows, *more)}.items()))
