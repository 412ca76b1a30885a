"""The vector stores that their contract runs on, each backend of the table."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from rag_llm_system.domain.ports import VectorStore
from tests.contract.vector_stores.cases import (
    BACKENDS,
    FOR_THREADS,
    LASTING,
    open_backend,
    remove_all,
)

Reopen = Callable[[], VectorStore]


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    with opened(request.param, tmp_path) as one:
        yield one


@pytest.fixture(params=FOR_THREADS)
def store_for_threads(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    with opened(request.param, tmp_path) as one:
        yield one


@contextmanager
def opened(backend: str, tmp_path: Path) -> Iterator[VectorStore]:
    one = open_backend(backend, tmp_path / "store")
    yield one
    remove_all(one)
    one.close()


@pytest.fixture(params=LASTING)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reopen]:
    """Opens the store again, the one before closed first."""
    with ExitStack() as last:

        def opened_again() -> VectorStore:
            last.close()
            one = open_backend(request.param, tmp_path / "store", lasting=True)
            last.callback(one.close)
            return one

        yield opened_again
        remove_all(opened_again())
