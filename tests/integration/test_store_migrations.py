"""Migrations between real stores: nothing changes on the way, and a killed one is completed by the next."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pytest
from click.testing import CliRunner

from rag_llm_system.application.migration import migrate
from rag_llm_system.domain.errors import StoreLocked
from rag_llm_system.domain.ports import CollectionSpec, Record, VectorStore
from rag_llm_system.infrastructure.vector_stores.factory import VectorStoreFactory
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from rag_llm_system.settings import PROJECT_ROOT
from tools.migrate_vector_store import main

CHUNKS, ALIAS, CLEANED = "article_chunks__1a2b3c4d", "article_chunks", "cleaned_articles"
SPEC = CollectionSpec(
    dimension=16,
    encoder="toy@1",
    terms="toy words",
    keyword_fields=("author_id",),
    integer_fields=("year",),
)
POINTS, BATCH = 240, 40

EMBEDDED = ["qdrant-edge", "faiss", "chroma"]


@contextmanager
def opened(backend: str, folder: Path) -> Iterator[VectorStore]:
    with closing(VectorStoreFactory.create(backend, path=folder)) as store:
        yield store


def a_filled_store() -> MemoryVectorStore:
    """Every kind of payload value, vectors and none, terms and none, an alias."""
    store, random = MemoryVectorStore(), np.random.default_rng(5)
    store.ensure(CHUNKS, SPEC)
    store.upsert(
        CHUNKS,
        [
            Record(
                id=str(uuid5(NAMESPACE_URL, f"point {n}")),
                vector=tuple(random.standard_normal(16).tolist()),
                terms={n % 5: 1.0, n: n / 7 + 0.1, 2**32 - 1 - n: 1.0} if n % 3 else {},
                payload={
                    "author_id": f"author {n % 7}", "year": 2000 + n % 9, "score": n / 3, "whole": 2.0,
                    "draft": n % 2 == 0, "tags": ["ä", "b"][: n % 3], "none": None,
                    "deep": {"a": [1, {"b": "文"}]}, "text": 'quotes " and \n lines',
                },
            )
            for n in range(POINTS)
        ],
    )  # fmt: skip
    store.ensure(CLEANED, CollectionSpec(keyword_fields=("author_id",)))
    cleaned = Record(id=str(uuid5(NAMESPACE_URL, "cleaned")), payload={"content": "the text"})
    store.upsert(CLEANED, [cleaned])
    store.point_aliases({ALIAS: CHUNKS})
    return store


def assert_same(store: VectorStore, wanted: VectorStore) -> None:
    assert store.collections() == wanted.collections()
    assert store.aliases() == wanted.aliases()
    for name in wanted.collections():
        found = list(store.scan(name, with_vectors=True))
        expected = list(wanted.scan(name, with_vectors=True))
        assert [(r.id, r.payload, r.terms) for r in found] == [
            (r.id, r.payload, r.terms) for r in expected
        ]
        assert np.allclose(
            [r.vector for r in found], [r.vector for r in expected], rtol=0, atol=1e-6
        )


def test_a_journey_through_every_store_changes_nothing(tmp_path: Path) -> None:
    original = a_filled_store()
    with opened(EMBEDDED[0], tmp_path / "first") as first:
        migrate(original, first)
    legs = [*pairwise(EMBEDDED), (EMBEDDED[-1], EMBEDDED[0])]
    folder = tmp_path / "first"
    for number, (source_name, target_name) in enumerate(legs):
        onward = tmp_path / f"leg-{number}"
        with opened(source_name, folder) as source, opened(target_name, onward) as target:
            migrate(source, target)
        with opened(target_name, onward) as reopened:
            assert_same(reopened, original)
            query = next(iter(original.scan(CHUNKS, with_vectors=True)))
            (best,) = reopened.search(ALIAS, np.array(query.vector, dtype=np.float32), limit=1)
            assert best.id == query.id
            queries = [{7: 1.0}, {3: 1.0, 14: 2.0}]
            assert [
                [hit.id for hit in hits] for hits in reopened.search_terms(ALIAS, queries, limit=9)
            ] == [
                [hit.id for hit in hits] for hits in original.search_terms(ALIAS, queries, limit=9)
            ]
        folder = onward


_KILLED = """
import os, signal, sys
from pathlib import Path
from rag_llm_system.application.migration import migrate
from rag_llm_system.infrastructure.vector_stores.factory import VectorStoreFactory
source, target, calls = sys.argv[1:3], sys.argv[3:5], int(sys.argv[5])
def count(points):
    global calls
    calls -= 1
    if not calls:
        os.kill(os.getpid(), signal.SIGKILL)
opened = [VectorStoreFactory.create(name, path=Path(path)) for name, path in (source, target)]
migrate(*opened, batch={batch}, on_points=count)
"""


@pytest.mark.parametrize(
    ("source_name", "target_name"),
    [("chroma", "qdrant-edge"), ("qdrant-edge", "faiss"), ("faiss", "chroma")],
)
def test_a_migration_killed_again_and_again_is_completed_by_the_next(
    tmp_path: Path, source_name: str, target_name: str
) -> None:
    original = a_filled_store()
    with opened(source_name, tmp_path / "source") as source:
        migrate(original, source)
    # after the first page, in the middle, while comparing, and between two collections
    for calls in (1, 3, 6, 10, 14):
        ran = subprocess.run(
            [sys.executable, "-c", _KILLED.format(batch=BATCH), source_name, tmp_path / "source",
             target_name, tmp_path / "target", str(calls)],
            cwd=PROJECT_ROOT, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert ran.returncode == -signal.SIGKILL, ran.stderr
        with opened(target_name, tmp_path / "target") as target:
            assert target.aliases() == {}, "nothing is live before everything is there"

    with (
        opened(source_name, tmp_path / "source") as source,
        opened(target_name, tmp_path / "target") as target,
    ):
        chunks, _ = migrate(source, target, batch=BATCH).collections
    with opened(target_name, tmp_path / "target") as target:
        assert_same(target, original)
    assert chunks.unchanged >= 2 * BATCH, "what an earlier run wrote was written again"


@pytest.mark.parametrize("target_name", EMBEDDED)
def test_a_target_that_another_writes_to_is_refused_at_once(
    tmp_path: Path, target_name: str
) -> None:
    with opened(target_name, tmp_path) as writing, opened(target_name, tmp_path) as target:
        writing.claim()
        with pytest.raises(StoreLocked):
            migrate(a_filled_store(), target)


def test_the_command_copies_and_a_second_time_finds_all_there(tmp_path: Path) -> None:
    with opened("chroma", tmp_path / "chroma") as source:
        migrate(a_filled_store(), source)
    arguments = [
        "--from", "chroma", "--from-path", str(tmp_path / "chroma"),
        "--to", "qdrant", "--to-path", str(tmp_path / "qdrant"),
    ]  # fmt: skip
    first, again = (CliRunner().invoke(main, arguments) for _ in range(2))

    assert first.exit_code == 0, first.output
    assert first.stdout.splitlines() == [
        f"{CHUNKS}: {POINTS} points, {POINTS} written, 0 already there, 0 removed",
        f"{CLEANED}: 1 points, 1 written, 0 already there, 0 removed",
        f"{ALIAS} -> {CHUNKS}",
    ]
    assert f"{CHUNKS}: {POINTS} points, 0 written, {POINTS} already there" in again.stdout
