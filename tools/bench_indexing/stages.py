"""The runs of the indexing benchmark, in their order, and what each is measured by."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rag_llm_system.domain.documents import Document, Value
from tools.bench_indexing.documents import edited, without

CHANGED = 0.01
"""The share of the documents that is edited, and removed."""

KILLED_AT = 0.5
"""Of a full run's texts, encoded when the run is killed."""


class Job(Value):
    """``larger_chunks``: chunk sizes twice the defaults; ``kill_after``: texts encoded, then SIGKILL.

    ``cached``: the embedding cache, for whatever encoder.
    """

    documents: Path
    folder: Path
    encoder: str
    cached: bool = True
    larger_chunks: bool = False
    kill_after: int | None = None


class Measured(Value):
    """One run. ``encoded`` are texts that the encoder itself was given, what a cache knew left out.

    ``indexed`` counts the documents of the index afterwards.
    """

    documents: int
    indexed: int
    changed: int
    chunks: int
    windows: int
    encoded: int
    written: int
    removed: int
    waiting: int
    seconds: float
    cpu_s: float


class Stage(NamedTuple):
    """``fresh``: into a store and a cache of its own, which the stages after it share until the next fresh one."""

    name: str
    documents: Callable[[Sequence[Document]], Sequence[Document]]
    fresh: bool = False
    larger_chunks: bool = False
    killed: bool = False


def _as_they_are(documents: Sequence[Document]) -> Sequence[Document]:
    return documents


def _edited(documents: Sequence[Document]) -> Sequence[Document]:
    return edited(documents, CHANGED)


def _reduced(documents: Sequence[Document]) -> Sequence[Document]:
    return without(_edited(documents), CHANGED)


FULL, AGAIN, EDITED, REDUCED = "full run", "no change", "1 % edited", "1 % removed"
RESIZED, KILLED, COMPLETED = "chunks twice as long", "killed half way", "completed after that"

STAGES = (
    Stage(FULL, _as_they_are, fresh=True),
    Stage(AGAIN, _as_they_are),
    Stage(EDITED, _edited),
    Stage(REDUCED, _reduced),
    Stage(RESIZED, _reduced, larger_chunks=True),
    Stage(KILLED, _as_they_are, fresh=True, killed=True),
    Stage(COMPLETED, _as_they_are),
)


class Row(Value):
    """One stage: what it measured, which a killed run does not.

    ``peak_mb`` is the most memory of its process and of those that a vector store starts, all together.
    """

    stage: str
    measured: Measured | None = None
    peak_mb: float = 0.0
    note: str = ""


def by_stage(rows: Sequence[Row]) -> Mapping[str, Measured]:
    return {row.stage: row.measured for row in rows if row.measured}
