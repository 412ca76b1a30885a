"""Indexes files and asks questions in one process: ``python -m tools.bench_vector_stores.scaling_run TASK``."""

import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import click

from rag_llm_system.application.indexing import cleaned_documents
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.bootstrap import System, build
from rag_llm_system.domain.documents import Author, CleanedDocument, Document, Source
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.queries import Query
from rag_llm_system.settings import Settings
from steps.progress import progress
from tools.bench_vector_stores.memory import memory_mb
from tools.bench_vector_stores.scaling import Scaled, Task, python_roots, source_files
from tools.bench_vector_stores.worker import disk_mb
from tools.errors import clean_exit

AUTHOR = Author.named("The Authors of Python")
FETCHED = datetime(2026, 1, 1, tzinfo=UTC)
QUESTIONS = (
    "How is a temporary file removed when it is closed?",
    "Which function parses a date written in the ISO format?",
    "How does a thread pool wait for its workers at the end of the interpreter?",
    "Where are the headers of an e-mail message folded?",
    "How is a URL split into its parts?",
    "What happens when a queue is full?",
    "How are arguments of the command line turned into numbers?",
    "Where is the checksum of a zip archive compared?",
    "How is a regular expression compiled and kept?",
    "What does a context manager do with an exception?",
)


def scaled(task: Task) -> Scaled:
    texts = source_files(task.files, python_roots())
    settings = Settings(DATA_DIR=task.folder, EMBEDDING_CACHE_MB=0, TRACING="off", _env_file=None)
    with build(settings) as system:
        system.embedder.embed(["The first call loads the encoder."])
        started = time.perf_counter()
        indexer = system.indexer()
        indexer.load_cleaned(_cleaned(texts))
        cleaned_at = time.perf_counter()
        with progress("files embedded", task.files) as advance:
            records = indexer.embed_changed(cleaned_documents(system.vectors), advance)
            loaded = indexer.load_chunks(records)
        ended = time.perf_counter()
        question_ms = _question_ms(system)
    report = indexer.report
    if report.windows != loaded.written:
        raise DataError(f"{report.windows} windows were embedded, {loaded.written} stored")
    return Scaled(
        files=task.files,
        text_mb=sum(len(text) for _, text in texts) / 1e6,
        chunks=report.embedded,
        windows=report.windows,
        clean_s=cleaned_at - started,
        embed_s=ended - cleaned_at,
        question_ms=question_ms,
        disk_mb=disk_mb(task.folder),
        peak_mb=memory_mb()["VmHWM"],
    )


def _cleaned(texts: Iterable[tuple[str, str]]) -> Iterator[CleanedDocument]:
    cleaning = CleaningDispatcher()
    for name, text in texts:
        document = Document(
            category="repositories",
            platform="local",
            title=name,
            text=text,
            author_id=AUTHOR.id,
            author_full_name=AUTHOR.full_name,
            source=Source(link=f"file:///{quote(name)}", fetched_at=FETCHED),
            metadata={"repository": "python", "source_file": name, "language": "python"},
        )
        if (cleaned := cleaning.dispatch(document)) is not None:
            yield cleaned


def _question_ms(system: System) -> float:
    """The median of all questions but the first, which opens what the store has not opened yet."""
    milliseconds = []
    for question in QUESTIONS:
        started = time.perf_counter()
        if not system.retriever.search(Query(text=question)):
            raise DataError(f"nothing was found for {question!r}")
        milliseconds.append(1000 * (time.perf_counter() - started))
    return statistics.median(milliseconds[1:])


if __name__ == "__main__":
    with clean_exit():
        click.echo(scaled(Task.model_validate_json(sys.argv[1])).model_dump_json())
