"""Servers of language models on loopback: four protocols, and what can go wrong with each."""

import json
import queue
import select
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.web_server import Handler, serve

MODELS = ("phi3:mini", "toy")


class Dialect(NamedTuple):
    """How a protocol writes a piece, the end and an error."""

    content_type: str
    piece: Callable[[str], bytes]
    end: bytes
    error: Callable[[str], bytes]


def _event(name: str, value: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def _chunk(value: object) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def _choice(delta: Mapping[str, str], reason: str | None = None) -> bytes:
    return _chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


def _line(**value: object) -> bytes:
    return f"{json.dumps(value, ensure_ascii=False)}\n".encode()


def payload_part(data: bytes) -> bytes:
    """AWS's binary framing of one event."""
    names = {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }
    headers = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(value)) + value.encode()
        for name, value in names.items()
    )  # fmt: skip
    prelude = struct.pack(">II", 16 + len(headers) + len(data), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + data
    return message + struct.pack(">I", zlib.crc32(message))


_OPENAI = Dialect(
    "text/event-stream",
    lambda text: _choice({"content": text}),
    _choice({}, "stop") + b"data: [DONE]\n\n",
    lambda reason: _chunk({"error": {"message": reason, "code": 500}}),
)
DIALECTS = {
    "openai": _OPENAI,
    "local": Dialect(
        "text/event-stream",
        lambda text: _event("token", {"text": text}),
        _event("done", {"generated_text": "", "compliance_status": "compliant"}),
        lambda reason: _event("error", {"error": reason}),
    ),
    "ollama": Dialect(
        "application/x-ndjson",
        lambda text: _line(message={"role": "assistant", "content": text}, done=False),
        _line(message={"role": "assistant", "content": ""}, done=True, done_reason="stop"),
        lambda reason: _line(error=reason),
    ),
    "sagemaker": Dialect(
        "application/vnd.amazon.eventstream",
        lambda text: payload_part(_OPENAI.piece(text)),
        payload_part(_OPENAI.end),
        lambda reason: payload_part(_OPENAI.error(reason)),
    ),
}
LISTS = {
    "/v1/models": {"data": [{"id": name, "object": "model"} for name in MODELS]},
    "/api/tags": {"models": [{"name": name} for name in MODELS]},
}


class Talk(Handler):
    """One connection. ``fake`` is what the test holds."""

    fake: "ModelFake"
    question: Mapping[str, Any]

    def do_GET(self) -> None:
        found = LISTS.get(self.path)
        body = json.dumps(found or {}).encode()
        self.answer(200 if found else 404, {"Content-Type": "application/json"}, body)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # it left before it had asked
            return
        self.question = json.loads(body)
        self.fake.asked.append(
            {
                **self.question,
                "path": self.path,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "client": self.client_address,
            }
        )
        behaviour = self.fake.script.pop(0) if self.fake.script else self.fake.otherwise
        try:
            behaviour(self)
        except ConnectionError:  # it left while something was being sent
            self.close_connection = True
            self.fake.left.put(self.client_address)

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", self.fake.dialect.content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def pieces(self, texts: Sequence[str]) -> None:
        self.begin()
        for text in texts:
            self.send(self.fake.dialect.piece(text))

    def has_left(self, wait_s: float) -> bool:
        """Whether the client closed the connection, which it notes."""
        readable, _, _ = select.select([self.connection], [], [], wait_s)
        try:
            gone = bool(readable) and not self.connection.recv(1)
        except ConnectionError:
            gone = True
        if gone:
            self.close_connection = True
            self.fake.left.put(self.client_address)
        return gone


Behaviour = Callable[[Talk], None]


def answering(*texts: str) -> Behaviour:
    def talk(to: Talk) -> None:
        to.pieces(texts)
        to.send(to.fake.dialect.end)
        to.send(b"")

    return talk


def echoing(to: Talk) -> None:
    """Says the last message, word by word."""
    words = str(to.question["messages"][-1]["content"]).split(" ")
    answering(*(f"{word} " for word in words))(to)


def in_single_bytes(*texts: str) -> Behaviour:
    def talk(to: Talk) -> None:
        to.begin()
        dialect = to.fake.dialect
        for byte in b"".join(map(dialect.piece, texts)) + dialect.end:
            to.send(bytes([byte]))
        to.send(b"")

    return talk


def endless(to: Talk) -> None:
    """Writes until the client leaves."""
    to.begin()
    while not to.has_left(0.005):
        to.send(to.fake.dialect.piece("more "))


def silent_after(*texts: str) -> Behaviour:
    """Says nothing more, and waits for the client to leave."""

    def talk(to: Talk) -> None:
        if texts:
            to.pieces(texts)
        while not to.has_left(5):
            continue

    return talk


def dying_after(*texts: str) -> Behaviour:
    """The connection breaks, as when the process is killed."""

    def talk(to: Talk) -> None:
        if texts:
            to.pieces(texts)
        to.close_connection = True

    return talk


def dying_after_the_end(to: Talk) -> None:
    """A whole answer in a response that is broken off."""
    to.pieces(["Good", " day."])
    to.send(to.fake.dialect.end)
    to.close_connection = True


def ending_early_after(*texts: str) -> Behaviour:
    """A whole response with half an answer."""

    def talk(to: Talk) -> None:
        to.pieces(texts)
        to.send(b"")

    return talk


def failing_after(*texts: str, reason: str = "out of memory") -> Behaviour:
    def talk(to: Talk) -> None:
        to.pieces(texts)
        to.send(to.fake.dialect.error(reason))
        to.send(b"")

    return talk


def sending(data: bytes, content_type: str = "text/html") -> Behaviour:
    return lambda to: to.answer(200, {"Content-Type": content_type}, data)


def refusing(status: int, reason: str = "no", **headers: str) -> Behaviour:
    body = json.dumps({"error": reason}).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda to: to.answer(status, {"Content-Type": "application/json", **sent}, body)


class ModelFake:
    """``script`` is what it does with the next questions, ``otherwise`` with all others."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.left: queue.Queue[tuple[str, int]] = queue.Queue()
        self.script: list[Behaviour] = []
        self.otherwise: Behaviour = answering("Good", " day.")


@contextmanager
def model_server(protocol: str) -> Iterator[ModelFake]:
    """``url`` has no path."""
    fake = ModelFake(DIALECTS[protocol])
    with serve(type("Handler", (Talk,), {"fake": fake})) as port:
        fake.url = f"http://127.0.0.1:{port}"
        yield fake
