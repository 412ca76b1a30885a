"""Qdrant Edge stores for tests: what is put in, and other processes that have the store open."""

import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.infrastructure.vector_stores.qdrant_edge_adapter import QdrantEdgeAdapter

NAME = "article_chunks_embedded"
SPEC = CollectionSpec(dimension=3, encoder="toy", keyword_fields=("author_id",))
EAST = np.array([1, 0, 0], dtype=np.float32)
ROOT = Path(__file__).parents[2]

Opener = Callable[[], QdrantEdgeAdapter]

# What another process does: each program gets the store as `store` and says how far it is on its output.
_PRELUDE = """
import sys
from pathlib import Path
from tests.integration.edge_stores import EAST, NAME, SPEC, a_published_collection, records
from rag_llm_system.infrastructure.vector_stores.qdrant_edge_adapter import QdrantEdgeAdapter
from rag_llm_system.domain.errors import StoreLocked
store = QdrantEdgeAdapter(Path({path!r}))
def say(text):
    print(text, flush=True)
"""


def records(start: int, stop: int) -> list[Record]:
    return [
        Record(
            id=str(uuid5(NAMESPACE_URL, f"point {n}")),
            vector=(math.cos(n / 1_000), math.sin(n / 1_000), 0.0),
            payload={"author_id": "ada", "n": n},
        )
        for n in range(start, stop)
    ]


@contextmanager
def running(path: Path, program: str) -> Iterator[subprocess.Popen[str]]:
    prelude = _PRELUDE.format(path=str(path))
    process = subprocess.Popen(
        [sys.executable, "-c", prelude + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def kill(process: subprocess.Popen[str]) -> None:
    """As the kernel does it when memory runs out."""
    process.send_signal(signal.SIGKILL)
    process.wait()


@contextmanager
def stores_on(path: Path) -> Iterator[Opener]:
    """Opens further stores on the path; a store holds its own locks, as a process does."""
    with ExitStack() as stores:

        def another() -> QdrantEdgeAdapter:
            store = QdrantEdgeAdapter(path)
            stores.callback(store.close)
            return store

        yield another


def numbers(store: QdrantEdgeAdapter) -> set[int]:
    return {record.payload["n"] for record in store.scan(NAME)}


def a_published_collection(store: QdrantEdgeAdapter, size: int = 10) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, records(0, size))
    store.publish(NAME)


def eventually(condition: Callable[[], bool]) -> None:
    """A reader opens what was published in the background; each look takes it a moment."""
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up


WIDE = CollectionSpec(
    dimension=16_000, encoder="wide", terms="digits", keyword_fields=("author_id",)
)
"""Few points make it too large for exact search: publishing builds a graph."""


def wide_vectors(count: int = 500) -> np.ndarray:
    return np.random.default_rng(7).normal(size=(count, 16_000)).astype(np.float32)


def wide_records(vectors: np.ndarray) -> list[Record]:
    """Their terms are the last digits of their numbers."""
    return [
        one.model_copy(update={"vector": tuple(vector), "terms": {one.payload["n"] % 10: 1.0}})
        for one, vector in zip(records(0, len(vectors)), vectors.tolist(), strict=True)
    ]
