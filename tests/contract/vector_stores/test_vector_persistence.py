"""What outlives a vector store's process, who else may open it meanwhile, and whether it says so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rag_llm_system.domain.ports import CollectionSpec, VectorStore
from tests.contract.vector_stores.cases import (
    BACKENDS,
    DOUBLE_WARNS,
    EAST,
    IN_FOLDERS,
    NAME,
    NORTH,
    OTHER,
    PREFIX,
    SPEC,
    a_record,
    open_backend,
    payloads,
    query,
)
from tests.contract.vector_stores.conftest import Reopen

pytestmark = DOUBLE_WARNS
LIVE = PREFIX + "live"
ROOT = Path(__file__).parents[3]

# What another process does with the store, and says on its output.
PROGRAM = """
import json, sys
from pathlib import Path
from rag_llm_system.domain.errors import StoreLocked
from tests.contract.vector_stores.cases import NAME, a_record, open_backend, query
backend, folder = sys.argv[1:]
said = {}
try:
    store = open_backend(backend, Path(folder))
    said["found"] = [hit.payload for hit in store.search(NAME, query(), limit=9)]
    store.claim()
    store.upsert(NAME, [a_record(7)])
except StoreLocked as error:
    said["refused"] = str(error)
print(json.dumps(said))
"""


def test_what_was_published_is_there_when_the_store_is_opened_again(reopen: Reopen) -> None:
    written = [a_record(n, (1.0, n, 0.0), author_id="ab"[n % 2], year=n) for n in range(30)]
    store = reopen()
    store.ensure(NAME, SPEC)
    store.upsert(NAME, written)
    store.delete(NAME, [written[0].id])
    store.delete_where(NAME, {"year": 29})
    store.publish(NAME)
    store.ensure(OTHER, CollectionSpec(keyword_fields=("k",)))
    store.upsert(OTHER, [a_record(1, (), k="v")])
    store.publish(OTHER)
    store.point_aliases({LIVE: NAME})
    before = list(store.scan(NAME, with_vectors=True))

    for _ in range(2):
        store = reopen()

        assert {NAME, OTHER} <= store.collections().keys()
        assert store.collections()[NAME] == SPEC
        assert store.aliases()[LIVE] == NAME
        now = list(store.scan(LIVE, with_vectors=True))
        assert [(one.id, one.payload) for one in now] == [(one.id, one.payload) for one in before]
        for one, other in zip(now, before, strict=True):
            assert one.vector == pytest.approx(other.vector, abs=1e-6)
        assert len(before) == store.count(LIVE) == 28
        assert (
            store.search(LIVE, query(), limit=1, where={"author_id": "a"})[0].payload["year"] == 2
        )
        assert payloads(store, name=OTHER) == [{"k": "v"}]


def test_work_goes_on_where_it_was_left(reopen: Reopen) -> None:
    store = reopen()
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(n, n=n) for n in range(10)])
    store.publish(NAME)

    store = reopen()
    store.upsert(NAME, [a_record(n, NORTH, n=n) for n in range(5, 15)])
    store.publish(NAME)

    store = reopen()
    assert store.count(NAME) == 15
    assert [hit.payload["n"] < 5 for hit in store.search(NAME, query(), limit=15)] == [
        *[True] * 5,
        *[False] * 10,
    ]


def test_what_one_process_did_not_live_to_publish_the_next_one_publishes(reopen: Reopen) -> None:
    store = reopen()
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(n) for n in range(10)])
    store.publish(NAME)
    store.upsert(NAME, [a_record(n) for n in range(10, 20)])

    store = reopen()
    store.publish(NAME)

    assert reopen().count(NAME) == 20


def test_dropping_and_taking_an_alias_away_outlive_the_process(reopen: Reopen) -> None:
    store = reopen()
    for name in (NAME, OTHER):
        store.ensure(name, SPEC)
        store.upsert(name, [a_record(1)])
        store.publish(name)
    store.point_aliases({LIVE: NAME, PREFIX + "more": OTHER})
    store.point_aliases({LIVE: None})
    store.drop(NAME)

    store = reopen()

    assert NAME not in store.collections()
    assert LIVE not in store.aliases()
    assert (store.count(NAME), store.count(PREFIX + "more")) == (0, 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_but_one_keeps_what_was_published(backend: str, tmp_path: Path) -> None:
    store = open_backend(backend, tmp_path / "store")
    assert (store.capabilities.durable_on == "never") == (backend == "memory")
    store.close()


@pytest.mark.parametrize("backend", IN_FOLDERS)
def test_another_process_may_read_or_write_as_the_capabilities_say(
    backend: str, tmp_path: Path
) -> None:
    store: VectorStore = open_backend(backend, tmp_path / "store")
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1, EAST, n=1)])
    store.publish(NAME)

    other = subprocess.run(
        [sys.executable, "-c", PROGRAM, backend, str(tmp_path / "store")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    said = json.loads(other.stdout)
    capabilities = store.capabilities
    assert ("found" in said) == (capabilities.readers == "many processes")
    assert said.get("found", [{"n": 1}]) == [{"n": 1}]
    assert ("refused" in said) == (capabilities.writers == "one process")
    assert "process" in said.get("refused", "process")
    store.upsert(NAME, [a_record(2)])
    store.close()
