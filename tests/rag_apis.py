"""The RAG API on stores in memory, for tests."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.bootstrap import System, build
from rag_llm_system.domain.documents import Author, CleanedDocument, Document
from rag_llm_system.infrastructure.inference_pipeline_api import create_app
from rag_llm_system.infrastructure.local.governance import (
    GovernanceMonitor,
    GovernanceRecord,
    Policy,
)
from rag_llm_system.settings import PROJECT_ROOT, Settings
from tests.unit.application.builders import document

ADA, GRACE = Author.named("Ada Test"), Author.named("Grace Test")


def memory_system(data_dir: Path, **settings: Any) -> System:
    return build(
        Settings(
            **{
                "DATA_DIR": data_dir,
                "VECTOR_STORE": "memory",
                "EMBEDDER": "hashing",
                "LLM_BACKEND": "extractive",
                "TRACING": "off",
                **settings,
            }
        )
    )


def written_by(author: Author, link: str, text: str) -> Document:
    return document(link, text, author_id=author.id, author_full_name=author.full_name)


def index(system: System, documents: Sequence[Document]) -> None:
    cleaning, indexer = CleaningDispatcher(), system.indexer()
    cleaned: list[CleanedDocument] = [c for d in documents if (c := cleaning.dispatch(d))]
    indexer.load_cleaned(cleaned)
    indexer.load_chunks(indexer.embed_changed(cleaned))


def monitor(
    records: list[GovernanceRecord] | None = None, policy: Policy | None = None
) -> GovernanceMonitor:
    """Under the policy that the project ships."""
    shipped = Policy.from_file(PROJECT_ROOT / "configs" / "governance.yaml")
    return GovernanceMonitor(policy or shipped, [] if records is None else records, server="rag")


@contextmanager
def serving(
    open_system: Callable[[], Any], governance: GovernanceMonitor | None = None, **options: Any
) -> Iterator[TestClient]:
    app = create_app(open_system, governance or monitor(), **options)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client
