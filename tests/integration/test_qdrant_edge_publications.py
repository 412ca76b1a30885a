"""Publishing: nothing is copied for nothing, and nothing that was written waits for ever."""

from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pytest

from rag_llm_system.domain.errors import StoreLocked
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.infrastructure.vector_stores.qdrant_edge_adapter import QdrantEdgeAdapter

NAME = "article_chunks_embedded"
RECORD = Record(id=str(uuid5(NAMESPACE_URL, "a")), vector=(1.0, 0.0), payload={"author_id": "ada"})


def generations(path: Path) -> list[str]:
    return sorted(p.name for p in (path / NAME / "published").iterdir() if p.is_dir())


@pytest.fixture
def published(tmp_path: Path) -> Path:
    store = QdrantEdgeAdapter(tmp_path)
    store.ensure(NAME, CollectionSpec(dimension=2, encoder="toy"))
    store.upsert(NAME, [RECORD])
    store.publish(NAME)
    store.close()
    return tmp_path


def test_publishing_without_a_change_copies_nothing_and_takes_no_lock(published: Path) -> None:
    before = generations(published)
    writer = QdrantEdgeAdapter(published)
    writer.upsert(NAME, [RECORD])
    writer.publish(NAME)
    after = generations(published)
    second = QdrantEdgeAdapter(published)

    second.publish(NAME)  # the writer holds the lock: this would be refused

    assert generations(published) == after != before
    second.close()
    writer.close()


def test_a_second_claim_is_refused_at_once_and_searching_goes_on(published: Path) -> None:
    first, second = QdrantEdgeAdapter(published), QdrantEdgeAdapter(published)
    first.claim()
    first.claim()
    with pytest.raises(StoreLocked, match="is being written by process"):
        second.claim()
    assert second.count(NAME) == 1
    first.close()
    second.claim()
    second.close()


def test_what_a_process_did_not_live_to_publish_the_next_one_publishes(published: Path) -> None:
    died = QdrantEdgeAdapter(published)
    died.delete(NAME, [RECORD.id])
    died.close()
    next_one = QdrantEdgeAdapter(published)
    assert next_one.count(NAME) == 1

    next_one.publish(NAME)
    next_one.close()

    reader = QdrantEdgeAdapter(published)
    assert reader.count(NAME) == 0
    reader.close()


@pytest.mark.parametrize("points", [8, 600])
def test_opening_leaves_the_published_files_as_they_are_after_deletions(
    tmp_path: Path, points: int
) -> None:
    records = [
        Record(
            id=str(uuid5(NAMESPACE_URL, str(n))), vector=(1.0, n), payload={"author_id": str(n % 7)}
        )
        for n in range(points)
    ]
    writer = QdrantEdgeAdapter(tmp_path)
    writer.ensure(NAME, CollectionSpec(dimension=2, encoder="toy", keyword_fields=("author_id",)))
    writer.upsert(NAME, records)
    writer.publish(NAME)
    writer.delete(NAME, [r.id for r in records[::2]])
    writer.upsert(
        NAME, [r.model_copy(update={"payload": {"author_id": "x"}}) for r in records[1::4]]
    )
    writer.publish(NAME)
    writer.close()

    for _ in range(3):  # the first opening used to correct files that it shared with the generation
        reader = QdrantEdgeAdapter(tmp_path)
        assert reader.count(NAME) == len(list(reader.scan(NAME))) == points // 2
        assert reader.search(NAME, np.array([1, 0], np.float32), limit=1, where={"author_id": "x"})
        reader.close()
