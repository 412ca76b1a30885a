"""An index of a benchmark, in a data folder of its own: that of the user is neither read nor touched."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rag_llm_system.application.evaluation.beir import Benchmark
from rag_llm_system.application.evaluation.ingest import Ingested, documents_of, ingest
from rag_llm_system.application.indexing import live_collections
from rag_llm_system.bootstrap import System, build
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.settings import Settings
from steps.progress import progress, say

_MARK = "evaluation-index.json"
"""In a kept folder: what it holds is ours to replace."""

_SHOWN = 5


@dataclass(frozen=True)
class Index:
    """``seconds`` is what cleaning, cutting, embedding and loading took."""

    system: System
    ingested: Ingested
    chunks: int
    windows: int
    seconds: float


@contextmanager
def evaluation_index(
    benchmark: Benchmark, settings: Settings, *, category: str, keep: Path | None
) -> Iterator[Index]:
    """The benchmark's documents, indexed; in ``keep`` they stay, and what is there already is not embedded again.

    Raises ConfigurationError for a folder or a vector store that holds something else.
    """
    with ExitStack() as stack:
        if keep is None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="evaluate-retrieval-")))
        else:
            folder = keep.resolve()
        is_ours = _was_ours(folder)
        system = stack.enter_context(build(_settings_in(folder, settings)))
        if not is_ours and (found := sorted(system.vectors.collections())):
            raise ConfigurationError(
                f"vector store {settings.VECTOR_STORE!r} holds {found[0]!r} already, and evaluation would replace "
                "it; set VECTOR_STORE to one that keeps its files in DATA_DIR, such as qdrant"
            )
        (folder / _MARK).write_text(json.dumps({"benchmark": benchmark.name}), encoding="utf-8")
        yield _indexed(benchmark, system, category)


def _was_ours(folder: Path) -> bool:
    """Whether an evaluation used the folder before; it is made if need be."""
    known = (folder / _MARK).is_file()
    if not known and folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            f"{folder} holds something else than an evaluation's index; name a new folder to --keep"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return known


def _settings_in(folder: Path, settings: Settings) -> Settings:
    on_a_server = settings.USE_QDRANT_CLOUD or settings.QDRANT_DATABASE_HOST
    if settings.VECTOR_STORE == "qdrant-server" or (
        settings.VECTOR_STORE == "qdrant" and on_a_server
    ):
        raise ConfigurationError(
            "evaluation needs an index of its own, and the settings name a Qdrant server; set "
            "VECTOR_STORE=qdrant-edge for this command"
        )
    # a span for each of thousands of questions is nothing that anybody would read
    return settings.model_copy(update={"DATA_DIR": folder, "TRACING": "off"})


def _indexed(benchmark: Benchmark, system: System, category: str) -> Index:
    started = time.perf_counter()
    with progress(f"{benchmark.name}: indexing documents", len(benchmark.documents)) as advance:
        ingested = ingest(documents_of(benchmark, category), system.indexer(), advance)
    seconds = time.perf_counter() - started
    names = live_collections(system.vectors, system.embedder).values()
    index = Index(
        system=system,
        ingested=ingested,
        chunks=sum(system.vectors.count(name, where={"window": 0}) for name in names),
        windows=sum(map(system.vectors.count, names)),
        seconds=seconds,
    )
    for line in _lines(benchmark, index):
        say(line)
    return index


def _lines(benchmark: Benchmark, index: Index) -> Iterator[str]:
    ingested = index.ingested
    categories = ", ".join(
        f"{n:,} {category}" for category, n in sorted(ingested.categories.items())
    )
    yield (
        f"{benchmark.name}: {categories or 'nothing'}; {index.chunks:,} chunks, {index.windows:,} vectors; "
        f"{ingested.embedded:,} documents embedded, {index.seconds:.0f} s"
    )
    for these, what in (
        (ingested.dropped, "nothing left after cleaning"),
        (benchmark.absent, "relevant to a query, but not in the corpus"),
    ):
        if these:
            some = ", ".join(these[:_SHOWN])
            more = ", ..." if len(these) > _SHOWN else ""
            yield f"  {what} ({len(these):,}): {some}{more}"
