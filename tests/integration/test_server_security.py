"""What both servers share, on a real port: hostile requests, slow bodies, clients that leave."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from pydantic import Field

from rag_llm_system.domain.documents import Value
from rag_llm_system.infrastructure.serving.errors import error_responses, install_error_handlers
from rag_llm_system.infrastructure.serving.metrics import ServerMetrics
from rag_llm_system.infrastructure.serving.security import Access, protect
from rag_llm_system.infrastructure.serving.sse import Event, event_stream
from rag_llm_system.infrastructure.serving.wire import wire_limits
from tests.hostile_requests import (
    Hostile,
    Target,
    answer_to,
    assert_refused,
    hostile_requests,
    said_by,
)

WAIT_S = 30
MAX_BODY_BYTES = 1_000_000
# the requests' names alone: the port is known later
NAMES = [
    request.name
    for request in hostile_requests(Target("127.0.0.1:1", "/ask", {"query": "a"}, "query"))
]


class Question(Value):
    query: Annotated[str, Field(min_length=1, max_length=4000)]
    where: dict[str, str | int] = Field(default_factory=dict)


class Site:
    """A small server with everything that is shared."""

    def __init__(self, files: Path) -> None:
        self.port = 0
        self.closed = threading.Event()
        self.app = FastAPI(responses=error_responses)
        install_error_handlers(self.app)

        @self.app.get("/health")
        async def health() -> dict[str, str]:
            return {"status": "ready"}

        @self.app.post("/ask")
        async def ask(question: Question) -> Question:
            return question

        @self.app.post("/stream")
        async def stream(question: Question) -> Response:
            return event_stream(self.events(question))

        self.app.mount("/static", StaticFiles(directory=files))
        protect(self.app, Access(max_body_bytes=MAX_BODY_BYTES, body_timeout_s=0.5))
        ServerMetrics("test").install(self.app)

    async def events(self, question: Question) -> AsyncGenerator[Event]:
        try:
            yield "token", {"text": question.query}
            await asyncio.Event().wait()
        finally:
            self.closed.set()

    @property
    def target(self) -> Target:
        host = f"127.0.0.1:{self.port}"
        return Target(host, "/ask", {"query": "a"}, "query", max_body_bytes=MAX_BODY_BYTES)


@contextmanager
def running(site: Site) -> Iterator[Site]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            site.app,
            log_level="critical",
            timeout_graceful_shutdown=1,
            **wire_limits(head_timeout_s=0.3),
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        site.port = listening.getsockname()[1]
        try:
            yield site
        finally:
            server.should_exit = True
            thread.join(WAIT_S)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    files = tmp_path_factory.mktemp("static")
    (files / "page.js").write_text("1", encoding="utf-8")
    with running(Site(files)) as running_site:
        yield running_site


def asked(site: Site, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=WAIT_S)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_request_gets_one_clear_line(site: Site, name: str) -> None:
    request = next(r for r in hostile_requests(site.target) if r.name == name)
    assert_refused(request, answer_to(site.port, request))
    assert asked(site, "GET", "/health") == (200, {"status": "ready"})


def test_there_are_fifty_hostile_requests_and_no_two_of_one_name() -> None:
    assert len(NAMES) == len(set(NAMES)) >= 50


def test_an_honest_request_passes(site: Site) -> None:
    status, answer = asked(site, "POST", "/ask", {"query": "what is it \U0001f600"})
    assert (status, answer["query"]) == (200, "what is it \U0001f600")


def test_a_page_of_the_server_itself_may_ask_it(site: Site) -> None:
    headers = {"Origin": f"http://127.0.0.1:{site.port}"}
    assert asked(site, "POST", "/ask", {"query": "a"}, **headers)[0] == 200


def test_a_body_that_stops_is_refused_when_its_time_is_over(site: Site) -> None:
    stops = Hostile("stops", site.target.post(b'{"query"', Content_Length="100"))
    answer = answer_to(site.port, stops)
    assert answer.status == 408
    assert said_by(answer) == "the body did not arrive within 0.5 s"


def test_a_client_that_leaves_ends_what_was_made_for_it(site: Site) -> None:
    site.closed.clear()
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=WAIT_S)
    body = json.dumps({"query": "a"})
    connection.request("POST", "/stream", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.readline() == b"event: token\n"
    assert not site.closed.is_set()
    answer.close()
    connection.close()
    assert site.closed.wait(WAIT_S)


def test_requests_go_on_while_one_body_is_awaited(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S) as slow:
        slow.sendall(site.target.post(b"{", Content_Length="100"))
        assert asked(site, "GET", "/health")[0] == 200


@pytest.mark.parametrize("part", [b"", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "])
def test_a_connection_whose_head_stops_is_closed_when_its_time_is_over(
    site: Site, part: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S) as slow:
        slow.sendall(part)
        assert slow.recv(1000) == b""


def test_a_second_head_that_stops_is_not_waited_for_either(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S) as slow:
        slow.sendall(site.target.head("GET", "/health"))
        answer = http.client.HTTPResponse(slow)
        answer.begin()
        assert answer.read() == b'{"status":"ready"}'
        slow.sendall(b"GET /health")
        assert slow.recv(1000) == b""


def test_an_answer_may_take_longer_than_a_head(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S) as connection:
        connection.sendall(site.target.post(b"{", Content_Length="100"))
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 408


def test_one_connection_asks_many_times(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=WAIT_S)
    for _ in range(20):
        connection.request("GET", "/health")
        assert connection.getresponse().read() == b'{"status":"ready"}'
    connection.close()
