"""What a contender is given, what it can do, and what is measured of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.ports import Record
from rag_llm_system.domain.queries import Hit, Where
from tools.bench_vector_stores.points import Points


class Contender(Protocol):
    """One collection of one store, as :class:`rag_llm_system.domain.ports.VectorStore` does it."""

    @property
    def traits(self) -> Mapping[str, str]:
        """What it says of itself, for the table of capabilities."""

    def upsert(self, records: Sequence[Record]) -> None: ...

    def publish(self) -> None: ...

    def search(self, vector: Vectors, *, limit: int, where: Where | None = None) -> list[Hit]: ...

    def search_batch(self, vectors: Vectors, *, limit: int) -> list[list[Hit]]: ...

    def close(self) -> None: ...


class Job(Value):
    """Its files go to ``folder``."""

    contender: str
    points: Points
    folder: Path


class Built(Value):
    """``peak_mb`` is of this process alone."""

    upsert_s: float
    publish_s: float
    peak_mb: float
    traits: Mapping[str, str]


class Gaps(Value):
    """The longest time between two answers to a thread that searches while another writes."""

    loading_ms: float
    publishing_ms: float


class Opened(Value):
    """``open_s`` from the files to the first answer; memory after that, of all its processes: in all, and no file's."""

    open_s: float
    rss_mb: float
    anonymous_mb: float


class Answers(Value):
    """Of each question: how long it took and the ids that were found."""

    milliseconds: Sequence[float]
    found: Sequence[Sequence[str]]


class Rate(Value):
    """Questions a second by so many threads at once, or in batches."""

    per_second: float
