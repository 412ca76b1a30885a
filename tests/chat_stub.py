"""A RAG API that says what a test wrote down, with the chat page in front of it."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from rag_llm_system.infrastructure import chat_page

PASSAGE = (
    "Vectors are stored in segments.\n\nA segment is immutable once   it is written,\n"
    "so readers never wait for writers. Deletions are kept beside it."
)
QUOTE = "A segment is immutable once it is written, so readers never wait for writers."
PIECES = ("Readers never wait", " [1].\n\n- first **point**", "\n- second `code` [2]", "\n")
FILTERS = {
    "authors": ["Ada Lovelace", "Zoë Müller"],
    "categories": ["articles", "posts"],
    "platforms": ["medium"],
}
ASSISTANTS = {
    **FILTERS,
    "assistants": ["documents", "code", "movies"],
    "repositories": ["accounts", "shop"],
}
"""Of a server that has code bases and films as well."""

FUNCTION = (
    "def check_password(user: User, password: str) -> bool:\n"
    '    """Whether it is the password of this user."""\n'
    "    digest = scrypt(password.encode(), salt=user.salt)\n"
    "    return compare_digest(digest, user.digest)"
)


def source(n: int, **changes: Any) -> dict[str, Any]:
    return {
        "n": n,
        "title": f"Title {n}",
        "link": f"https://example.org/{n}",
        "category": "articles",
        "score": 0.82 - n / 10,
        "quote": QUOTE,
        "passage": PASSAGE,
        "cited": n == 1,
        "headings": ["Storage", "Segments"],
        "source_file": "",
        "lines": "",
        **changes,
    }


def body(text: str = "".join(PIECES), **changes: Any) -> dict[str, Any]:
    """What ``done`` says."""
    return {
        "answer": text,
        "sources": [source(1), source(2, source_file="store/segment.py", lines="10-24")],
        "grounded": True,
        "confidence": {"value": 0.87, "level": "high"},
        "notes": [],
        "interpretation": {"conditions": []},
        "question": "",
        "timings_s": {"retrieve": 0.0123, "generate": 1.5},
        "model": "scripted",
        "index_version": "0123456789ab",
        "trace_id": "trace-1",
        "skipped": [],
        **changes,
    }


def code(n: int, **changes: Any) -> dict[str, Any]:
    """A source of the code assistant."""
    return source(
        n,
        **{
            "title": "accounts: src/auth.py",
            "link": "file:///srv/accounts/src/auth.py",
            "category": "code",
            "headings": [],
            "source_file": "src/auth.py",
            "lines": "10-13",
            "quote": FUNCTION,
            "passage": FUNCTION,
            **changes,
        },
    )


def film(n: int, title: str, plot: str) -> dict[str, Any]:
    """A source of the film assistant."""
    return source(
        n, title=title, link=f"film:{n}", category="movies", headings=[], quote=plot, passage=plot,
        cited=True,
    )  # fmt: skip


class Gate:
    """A place in a stream where it waits until the test opens it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opened = asyncio.Event()
        self.reached = threading.Event()

    async def passed(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.reached.set()
        await self._opened.wait()

    def open(self) -> None:
        assert self.reached.wait(20)
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._opened.set)


Event = tuple[str, Any] | Gate | str
"""A named event with its data, a place to wait at, or bytes as they are sent."""


def streamed(*pieces: str | Gate, **changes: Any) -> list[Event]:
    """The events of a whole answer in these pieces."""
    whole = body("".join(piece for piece in pieces if isinstance(piece, str)), **changes)
    opening = ("sources", {key: whole[key] for key in ("sources", "question", "interpretation")})
    tokens: list[Event] = [
        ("token", {"text": piece}) if isinstance(piece, str) else piece for piece in pieces
    ]
    return [opening, *tokens, ("done", whole)]


class Stub:
    """``answers`` are given one to a question: a stream, or a whole response. Without any, a short answer."""

    def __init__(self) -> None:
        self.reset()
        self.port = 0

    def reset(self) -> None:
        self.answers: list[Sequence[Event] | Response] = []
        self.asked: list[dict[str, Any]] = []
        self.feedback: list[dict[str, Any]] = []
        self.filters: Mapping[str, Any] = FILTERS
        self.tastes: dict[str, list[dict[str, str]]] = {}
        self.key = ""
        self.ready: tuple[int, Mapping[str, str]] = (200, {"status": "ready"})
        self.feedback_status = 201
        self.left = threading.Event()  # a client went away in the middle of a stream

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def events(self, answer: Sequence[Event]) -> AsyncIterator[str]:
        ended = False
        try:
            for event in answer:
                if isinstance(event, Gate):
                    await event.passed()
                elif isinstance(event, str):
                    yield event
                else:
                    yield f"event: {event[0]}\ndata: {json.dumps(event[1])}\n\n"
            ended = True
        finally:
            if not ended:
                self.left.set()


def refused(status: int, error: str, **headers: str) -> JSONResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse({"error": error}, status_code=status, headers=named)


def create_app(stub: Stub) -> FastAPI:
    app = FastAPI(openapi_url=None)
    chat_page.mount(app)

    def lacks_key(request: Request) -> bool:
        return bool(stub.key) and request.headers.get("Authorization") != f"Bearer {stub.key}"

    @app.get("/ready")
    async def ready() -> JSONResponse:
        return JSONResponse(stub.ready[1], status_code=stub.ready[0])

    @app.get("/filters")
    async def filters(request: Request) -> Response:
        return refused(401, "no key") if lacks_key(request) else JSONResponse(stub.filters)

    @app.post("/rag")
    async def rag(request: Request) -> Response:
        if lacks_key(request):
            return refused(401, "a valid API key is needed")
        stub.asked.append(await request.json())
        answer = stub.answers.pop(0) if stub.answers else streamed(*PIECES)
        if isinstance(answer, Response):
            return answer
        return StreamingResponse(stub.events(answer), media_type="text/event-stream")

    @app.post("/feedback")
    async def feedback(request: Request) -> Response:
        if stub.feedback_status >= 400:
            return refused(stub.feedback_status, "the tracer is down")
        stub.feedback.append(await request.json())
        return JSONResponse({}, status_code=stub.feedback_status)

    add_preferences(app, stub)
    return app


def add_preferences(app: FastAPI, stub: Stub) -> None:
    """The ids are counted; a text that begins with "I have seen" is kept as a film seen."""

    @app.get("/preferences")
    async def preferences(user: str) -> dict[str, Any]:
        return {"preferences": stub.tastes.get(user, [])}

    @app.post("/preferences", status_code=201)
    async def add(request: Request) -> dict[str, str]:
        body = await request.json()
        seen = body["text"].startswith("I have seen ")
        kept = stub.tastes.setdefault(body["user"], [])
        text = body["text"].removeprefix("I have seen ")
        kept.append({"id": str(len(kept)), "kind": "seen" if seen else "taste", "text": text})
        return kept[-1]

    @app.delete("/preferences/{id}", status_code=204)
    async def remove(id: str, user: str) -> None:
        stub.tastes[user] = [one for one in stub.tastes[user] if one["id"] != id]


@contextmanager
def serving(stub: Stub) -> Iterator[Stub]:
    """The stub on a free loopback port."""
    config = uvicorn.Config(
        create_app(stub), port=0, log_level="critical", lifespan="off", timeout_graceful_shutdown=1
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert server.listening.wait(20)
        stub.port = server.servers[0].sockets[0].getsockname()[1]
        yield stub
    finally:
        server.should_exit = True
        thread.join()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()
