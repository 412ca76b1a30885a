"""Runs one stage of the indexing benchmark in a process of its own: ``python -m tools.bench_indexing.worker``.

It does what the feature engineering pipeline does, ZenML apart: between two of its steps a corpus is one file.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from rag_llm_system.application.indexing import EmbedReport, Indexer, LoadReport
from rag_llm_system.application.preprocessing.categories import CATEGORIES, Category
from rag_llm_system.application.preprocessing.chunking_data_handlers import ChunkSize
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.bootstrap.backends import embedder
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.ports import Embedder, Record, Role, VectorStore
from rag_llm_system.infrastructure.embedders.cache import CachedEmbedder
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.factory import VectorStoreFactory
from rag_llm_system.settings import load_settings
from steps.records import read_records, write_records
from tools.bench_indexing.documents import read_documents
from tools.bench_indexing.stages import Job, Measured

HASHING = "hashing"
_CACHE_MB = 1024


class CountedEmbedder:
    """Counts the texts that the encoder is given, and ends its process after so many."""

    def __init__(self, inner: Embedder, kill_after: int | None) -> None:
        self._inner, self._kill_after = inner, kill_after
        self.encoded = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def embed(self, texts: Sequence[str], *, role: Role = "document") -> Vectors:
        if self._kill_after is not None and self.encoded >= self._kill_after:
            os.kill(os.getpid(), signal.SIGKILL)
        self.encoded += len(texts)
        return self._inner.embed(texts, role=role)


def run(job: Job) -> Measured:
    settings = load_settings().model_copy(update={"DATA_DIR": job.folder, "EMBEDDER": job.encoder})
    # with the sizes of the default model
    inner = (
        HashingEmbedder(dimension=384, max_tokens=254)
        if job.encoder == HASHING
        else embedder(settings)
    )
    inner.embed(["The first text pays for the start of the encoder."])
    counted = CountedEmbedder(inner, job.kill_after)
    encoder = cast(Embedder, counted)
    path = job.folder / "embeddings.sqlite"
    cache = CachedEmbedder(encoder, path, limit_mb=_CACHE_MB) if job.cached else None
    table = {n: _larger(c) for n, c in CATEGORIES.items()} if job.larger_chunks else CATEGORIES
    store = VectorStoreFactory.create("qdrant", path=job.folder / "qdrant")
    started, cpu_s = time.perf_counter(), _cpu_s()
    cleaned, embedded, loaded = _indexed(job, store, cache or encoder, table)
    seconds = time.perf_counter() - started
    store.close()  # ends the processes that it started: only then their use is known
    if cache:
        cache.close()
    return Measured(
        documents=cleaned.given,
        indexed=sum(cleaned.collections.values()),
        changed=embedded.embedded_documents,
        chunks=embedded.embedded,
        windows=embedded.windows,
        encoded=counted.encoded,
        written=cleaned.written + loaded.written,
        removed=cleaned.removed + loaded.removed,
        waiting=loaded.waiting,
        seconds=seconds,
        cpu_s=_cpu_s() - cpu_s,
    )


def _indexed(
    job: Job, store: VectorStore, encoder: Embedder, table: Mapping[str, Category]
) -> tuple[LoadReport, EmbedReport, LoadReport]:
    indexer = Indexer(store, encoder, table)
    documents = write_records(
        "cleaned_documents", _cleaned(job.documents, table), CleanedDocument, job.folder
    )
    cleaned = indexer.load_cleaned(read_records(documents, CleanedDocument))
    found = indexer.embed_changed(read_records(documents, CleanedDocument))
    records = write_records("embedded_documents", found, Record, job.folder)
    return cleaned, indexer.report, indexer.load_chunks(read_records(records, Record))


def _cleaned(path: Path, table: Mapping[str, Category]) -> Iterator[CleanedDocument]:
    clean = CleaningDispatcher(table)
    found = (clean.dispatch(document) for document in read_documents(path))
    return (document for document in found if document)


def _larger(category: Category) -> Category:
    size = category.chunk_size
    doubled = ChunkSize(size.unit, 2 * size.maximum, 2 * size.minimum, size.overlap)
    return replace(category, chunk_size=doubled)


def _cpu_s() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


def main(job_file: str, result_file: str) -> None:
    job = Job.model_validate_json(Path(job_file).read_text(encoding="utf-8"))
    Path(result_file).write_text(run(job).model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
