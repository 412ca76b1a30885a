"""The films of a file of records, indexed in a data folder of the benchmark's own."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rag_llm_system.application.movies.record_mapping import FilmMapping
from rag_llm_system.application.movies.records import Tally, film_documents
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.bootstrap import System, build
from rag_llm_system.domain.documents import Author, Document
from rag_llm_system.settings import Settings
from steps.progress import progress

_SOURCE = Author.named("Films")


@dataclass(frozen=True)
class Index:
    """``records`` are the films as the file has them; ``seconds`` is what indexing took, little where it was there."""

    system: System
    records: Sequence[Document]
    embedded: int
    seconds: float


def settings_in(folder: Path, settings: Settings) -> Settings:
    """As a user has them, but for the folder: an index on a server is not touched."""
    store = settings.VECTOR_STORE
    return settings.model_copy(
        update={
            "DATA_DIR": folder,
            "VECTOR_STORE": "qdrant-edge" if store.startswith("qdrant") else store,
            "TRACING": "off",  # a span for each request is nothing that anybody would read
        }
    )


@contextmanager
def indexed(films: Path, settings: Settings, keep: Path | None) -> Iterator[Index]:
    """In ``keep`` the index stays, and what is there already is not embedded again."""
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(TemporaryDirectory(prefix="bench-movies-")))
        folder.mkdir(parents=True, exist_ok=True)
        system = stack.enter_context(build(settings_in(folder, settings)))
        records = list(film_documents(films, FilmMapping(), _SOURCE, Tally()))
        cleaned = [found for found in map(CleaningDispatcher().dispatch, records) if found]
        started = time.perf_counter()
        indexer = system.indexer()
        with progress("films indexed", len(cleaned)) as advance:
            indexer.load_chunks(indexer.embed_changed(cleaned, advance))
        seconds = time.perf_counter() - started
        yield Index(system, records, indexer.report.embedded_documents, seconds)
