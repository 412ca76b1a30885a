"""The MongoDB adapter and a server that is not there, refuses us, or is full."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from nx_27017 import NeoSQLiteHandler
from nx_27017.server import handle_client

from rag_llm_system.domain.documents import Document, Source
from rag_llm_system.domain.errors import (
    ConfigurationError,
    RagSystemError,
    StorageFull,
    StoreUnavailable,
)
from rag_llm_system.infrastructure.db.mongo import MongoDocumentStore

SECRET = "s3cret"
REFUSED = {"ok": 0, "code": 18, "errmsg": "Authentication failed."}
FULL = {"ok": 0, "code": 14031, "errmsg": "Available disk space is too low"}


class AnsweringEngine(NeoSQLiteHandler):
    """An in-memory server that gives one command a fixed answer."""

    def __init__(self, command: str, answer: dict[str, Any]) -> None:
        super().__init__(data_dir="memory")
        self._command, self._answer = command, answer

    def handle_command(self, msg: dict[str, Any]) -> Any:
        if any(self._command in body for kind, body in msg["sections"] if kind == "body"):
            return msg["request_id"], self._answer
        return super().handle_command(msg)


@contextmanager
def serving(engine: NeoSQLiteHandler) -> Iterator[str]:
    """``host:port`` of the engine, served from a thread."""
    loop, stopping = asyncio.new_event_loop(), asyncio.Event()

    async def serve(listening: socket.socket) -> None:
        await asyncio.start_server(partial(handle_client, handler=engine), sock=listening)
        await stopping.wait()

    def run(listening: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve(listening))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=run, args=(listening,))
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
    engine.close_all()


@pytest.fixture
def nobodys_port() -> Iterator[int]:
    """Bound and not listening: whoever connects is refused, and no other process can take it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_a_server_that_is_not_there_is_named_within_three_seconds(
    nobodys_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    uri = f"mongodb://user:{SECRET}@127.0.0.1:{nobodys_port}/?retryReads=true"
    started = time.monotonic()

    with (
        closing(MongoDocumentStore(uri, "twin")) as store,
        pytest.raises(StoreUnavailable) as caught,
    ):
        store.authors()

    assert time.monotonic() - started < 3.5  # the driver's limit of 3 s, and its own work
    assert f"MongoDB at 127.0.0.1:{nobodys_port} does not answer" in str(caught.value)
    assert "Connection refused" in str(caught.value)
    assert "DATABASE_HOST" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r} {store!r} {caplog.text}"


def test_a_wrong_password_is_a_matter_of_configuration() -> None:
    with (
        serving(AnsweringEngine("saslStart", REFUSED)) as host,
        closing(MongoDocumentStore(f"mongodb://user:{SECRET}@{host}", "twin")) as store,
        pytest.raises(ConfigurationError) as caught,
    ):
        store.authors()

    assert str(caught.value) == (
        f"MongoDB at {host} cannot be used (Authentication failed.);"
        " correct DATABASE_HOST or DATABASE_NAME"
    )
    assert SECRET not in repr(caught.value.__cause__)


@pytest.mark.parametrize("command", ["find", "update"])
def test_a_full_disk_is_named_while_reading_and_while_writing(command: str) -> None:
    source = Source(link="https://example.org/", fetched_at=datetime(2025, 1, 1, tzinfo=UTC))
    document = Document(
        category="articles",
        platform="p",
        text="t",
        author_id="1",
        author_full_name="A",
        source=source,
    )
    with (
        serving(AnsweringEngine(command, FULL)) as host,
        closing(MongoDocumentStore(f"mongodb://{host}", "twin")) as store,
        pytest.raises(StorageFull, match=r"Available disk space is too low.*stored before is kept"),
    ):
        store.save([document])


@pytest.mark.parametrize(
    "uri",
    [
        f"mongodb://user:{SECRET}/with-a-slash@db.example",
        f"mongodb://user:{SECRET}:with-a-colon@db.example",
        f"mongodb://user:{SECRET}%@db.example",
        f"mongodb:/user:{SECRET}@db.example",
        f"user:{SECRET}@db.example",
        f"http://user:{SECRET}@db.example",
        "mongodb://db.example:99999",
        "mongodb://",
    ],
)
def test_a_malformed_address_is_refused_without_quoting_it(uri: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^DATABASE_HOST is not a MongoDB addr") as caught:
        MongoDocumentStore(uri, "twin")

    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_malformed_database_name_is_refused() -> None:
    with pytest.raises(RagSystemError, match="correct DATABASE_HOST or DATABASE_NAME"):
        MongoDocumentStore("mongodb://127.0.0.1", "a name with spaces")
