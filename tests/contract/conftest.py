"""The document stores that their contracts run on; what else is called `store` says so in its own module."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from rag_llm_system.domain.ports import DocumentStore
from rag_llm_system.infrastructure.db import DOCUMENT_STORES
from rag_llm_system.infrastructure.loading import load


@pytest.fixture(scope="module")
def embedded_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose server runs as long as the module: stores of single tests join it."""
    data_dir = tmp_path_factory.mktemp("data")
    keeper = load("document store", "embedded", DOCUMENT_STORES)(data_dir, "keeper")
    yield data_dir
    keeper.close()


@contextmanager
def in_memory(cls: type[Any], _: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    yield cls()


@contextmanager
def embedded(cls: type[Any], request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    yield cls(request.getfixturevalue("embedded_data_dir"), f"contract_{uuid4().hex}")


@contextmanager
def on_a_server(cls: type[Any], _: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    uri = os.environ.get("TEST_DATABASE_HOST")
    if not uri:
        pytest.skip("no real MongoDB: set TEST_DATABASE_HOST to a URI to test on one")
    database = f"contract_{uuid4().hex}"
    yield cls(uri, database)
    with MongoClient[dict[str, Any]](uri) as client:
        client.drop_database(database)


OPENERS: dict[str, Callable[..., Any]] = {
    "memory": in_memory,
    "embedded": embedded,
    "mongo": on_a_server,
}


@pytest.fixture(params=sorted(DOCUMENT_STORES))
def store(request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    cls = load("document store", request.param, DOCUMENT_STORES)
    with OPENERS[request.param](cls, request) as opened:
        yield opened
        opened.close()
