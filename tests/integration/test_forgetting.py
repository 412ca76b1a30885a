"""Forgetting in Qdrant Edge: readers beside the writer, other processes, runs that were killed, a writer at work."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from rag_llm_system.application.forget import remove_from_index
from rag_llm_system.application.indexing import Indexer
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import StoreLocked
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.qdrant_edge_adapter import QdrantEdgeAdapter
from tests.unit.application.builders import cleaned

CHUNKS, TEXTS = "article_chunks_embedded", "cleaned_articles"
LONG = " ".join(f"Sentence number {i} tells one more thing." for i in range(120))

# another process tells which documents its searches and scans find
SEARCH = """
import sys
from pathlib import Path
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.qdrant_edge_adapter import QdrantEdgeAdapter
store = QdrantEdgeAdapter(Path(sys.argv[1]))
hits = store.search("article_chunks_embedded", HashingEmbedder().embed(["tells"])[0], limit=1000)
scanned = [r for name in ("article_chunks_embedded", "cleaned_articles") for r in store.scan(name)]
print(*sorted({one.payload["document_id"] for one in [*hits, *scanned]}))
store.close()
"""


def a_document(n: int) -> CleanedDocument:
    return cleaned(f"http://a.example/{n}", f"{LONG} {n}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "qdrant"


@pytest.fixture
def store(path: Path) -> Iterator[QdrantEdgeAdapter]:
    """Opened after the index was made, as a crawl does."""
    with closing(QdrantEdgeAdapter(path)) as making:
        index(making, range(4))
    with closing(QdrantEdgeAdapter(path)) as opened:
        yield opened


def index(store: QdrantEdgeAdapter, numbers: range) -> None:
    documents = [a_document(n) for n in numbers]
    indexer = Indexer(store, HashingEmbedder())
    indexer.load_cleaned(documents)
    indexer.load_chunks(indexer.embed_changed(documents))


def found_by(store: QdrantEdgeAdapter) -> set[str]:
    query = HashingEmbedder().embed(["tells"])[0]
    hits = store.search(CHUNKS, query, limit=1_000)
    scanned = [record for name in (CHUNKS, TEXTS) for record in store.scan(name)]
    return {one.payload["document_id"] for one in (*hits, *scanned)}


def found_elsewhere(path: Path) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", SEARCH, str(path)], capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


def ids(*numbers: int) -> list[tuple[str, str]]:
    return [("articles", a_document(n).id) for n in numbers]


def names(*numbers: int) -> set[str]:
    return {document_id for _, document_id in ids(*numbers)}


def test_no_reader_and_no_other_process_finds_what_was_forgotten(
    path: Path, store: QdrantEdgeAdapter
) -> None:
    with closing(QdrantEdgeAdapter(path)) as reader:
        assert found_by(reader) == names(0, 1, 2, 3)

        assert remove_from_index(ids(0, 2), store) > 2

        assert found_by(store) == found_elsewhere(path) == names(1, 3)
        give_up = (
            time.monotonic() + 30
        )  # a reader goes on with what it has open until it has opened the new state
        while found_by(reader) != names(1, 3):
            assert time.monotonic() < give_up


def test_forgetting_what_is_not_indexed_leaves_the_writing_to_others(
    path: Path, store: QdrantEdgeAdapter
) -> None:
    assert remove_from_index(ids(7, 8), store) == 0

    with closing(QdrantEdgeAdapter(path)) as another:
        another.claim()
        assert remove_from_index(ids(7, 8), store) == 0


def test_while_another_process_writes_the_index_forgetting_is_refused(
    path: Path, store: QdrantEdgeAdapter
) -> None:
    with closing(QdrantEdgeAdapter(path)) as writer:
        writer.claim()
        with pytest.raises(StoreLocked):
            remove_from_index(ids(0), store)


def test_what_a_killed_run_did_not_publish_does_not_come_back(
    path: Path, store: QdrantEdgeAdapter
) -> None:
    with closing(QdrantEdgeAdapter(path)) as killed:
        records = list(Indexer(killed, HashingEmbedder()).embed_changed([a_document(9)]))
        killed.upsert(CHUNKS, records)
    assert found_elsewhere(path) == names(0, 1, 2, 3)

    assert remove_from_index(ids(9), store) == len(records)

    index(store, range(4))
    assert found_elsewhere(path) == names(0, 1, 2, 3)


def test_threads_of_a_crawl_may_forget_at_once(path: Path, store: QdrantEdgeAdapter) -> None:
    with ThreadPoolExecutor(8) as pool:
        removed = list(pool.map(lambda n: remove_from_index(ids(n), store), [0, 1, 2, 0, 1, 2, 7]))

    assert [bool(one) for one in sorted(removed)] == [False] * 4 + [True] * 3
    assert found_elsewhere(path) == names(3)
