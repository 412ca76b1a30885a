"""Malformed and hostile requests as data, and a client that sends what no honest one would."""

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

_JSON = "application/json"


class Hostile(NamedTuple):
    """``raw`` as it goes over the wire. ``waits``: the server answers only when its patience with a body is over."""

    name: str
    raw: bytes
    waits: bool = False


class Refusal(NamedTuple):
    """What came back. ``status`` is None where the connection was closed without an answer."""

    status: int | None
    headers: Mapping[str, str]
    body: str


class Target(NamedTuple):
    """A route that takes JSON: ``valid`` is a body it accepts, ``text`` the name of a text field in it.

    ``max_body_bytes`` is the server's limit, ``static`` where it serves files.
    """

    host: str
    path: str
    valid: Mapping[str, Any]
    text: str
    max_body_bytes: int = 1_000_000
    static: str = "/static"

    def head(self, method: str = "POST", path: str = "", **headers: str) -> bytes:
        """The head of a request; ``headers`` with underscores for hyphens, one that is "" is left out."""
        named = {"Host": self.host, **{k.replace("_", "-"): v for k, v in headers.items()}}
        lines = [f"{method} {path or self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in named.items() if value]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def post(self, body: bytes, **headers: str) -> bytes:
        """A whole request with that body."""
        length = {"Content_Length": str(len(body))}
        return self.head(**{"Content_Type": _JSON, **length, **headers}) + body

    def with_text(self, text: str) -> bytes:
        """A request whose text field has that JSON in place of its text."""
        body = json.dumps({**self.valid, self.text: "PLACE"}).replace('"PLACE"', text)
        return self.post(body.encode())


def hostile_requests(target: Target) -> list[Hostile]:
    """Each is to be answered with 4xx and one line, or by closing the connection."""
    return [
        *_broken_heads(target),
        *_broken_lengths(target),
        *_other_sites(target),
        *_wrong_types(target),
        *_broken_bodies(target),
        *_wrong_paths(target),
    ]


def answer_to(port: int, request: Hostile, *, timeout_s: float = 10) -> Refusal:
    """Sends it and reads the answer. Raises TimeoutError when the server neither answers nor hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        with suppress(
            ConnectionError
        ):  # refused before all of it was sent; what was said is still there
            connection.sendall(request.raw)
        method = request.raw.split(b" ", 1)[0].decode("latin-1")
        answer = http.client.HTTPResponse(connection, method=method)
        try:
            answer.begin()
            return Refusal(answer.status, dict(answer.getheaders()), answer.read().decode())
        except (ConnectionError, http.client.BadStatusLine):
            return Refusal(None, {}, "")


def assert_refused(request: Hostile, answer: Refusal) -> None:
    """4xx with one line that shows nothing of the server's insides, or a closed connection."""
    if answer.status is None:
        return
    assert 400 <= answer.status < 500, (request.name, answer)
    line = said_by(answer)
    assert line, request.name
    assert line.isprintable(), (request.name, line)
    assert len(line) <= 500, (request.name, line)
    for inside in ("Traceback", 'File "', "site-packages", "object at 0x"):
        assert inside not in answer.body, (request.name, answer.body)


def said_by(answer: Refusal) -> str:
    """The line in an error's body, in any of its forms."""
    if not answer.headers.get("content-type", "").startswith(_JSON):
        return answer.body
    error = json.loads(answer.body)["error"]
    return str(error["message"] if isinstance(error, dict) else error)


def _broken_heads(target: Target) -> Iterator[Hostile]:
    """What the protocol does not allow, or what another reader of it could understand otherwise."""
    host = target.host.encode()
    get = target.head("GET", "/health")[:-2]
    yield Hostile("HTTP/0.9", b"GET /health\r\n\r\n")
    yield Hostile(
        "a TLS greeting",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n",
    )
    yield Hostile("HTTP/2's greeting", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    yield Hostile("no method", b" /health HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    yield Hostile("no version", b"GET /health\r\nHost: " + host + b"\r\n\r\n")
    yield Hostile("version 9.9", b"GET /health HTTP/9.9\r\nHost: " + host + b"\r\n\r\n")
    yield Hostile("a space in the path", b"GET /a b HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    yield Hostile("bytes in the path", b"GET /\xff\xfe HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    yield Hostile("no host", b"GET /health HTTP/1.1\r\n\r\n")
    yield Hostile("two hosts", get + b"Host: localhost\r\n\r\n")
    yield Hostile("a header without a colon", get + b"Nothing\r\n\r\n")
    yield Hostile("a space before the colon", get + b"Accept : x\r\n\r\n")
    yield Hostile(
        "a header that begins folded", b"GET /health HTTP/1.1\r\n Host: " + host + b"\r\n\r\n"
    )
    yield Hostile("NUL in a header", get + b"X-A: a\x00b\r\n\r\n")
    yield Hostile("a line break in a header", get + b"X-A: a\rSet-Cookie: b\r\n\r\n")
    yield Hostile("a header of 100 KB", get + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n")
    yield Hostile("10,000 headers", get + b"X-A: a\r\n" * 10_000 + b"\r\n")
    yield Hostile("a path of 100 KB", target.head("GET", "/" + "a" * 100_000))
    yield Hostile("a method of 50 KB", target.head("A" * 50_000, "/health"))
    yield Hostile("an unknown method", target.head("BREW"))
    yield Hostile("a method the route has not", target.head("DELETE"))
    yield Hostile("TRACE", target.head("TRACE"))
    yield Hostile("CONNECT", target.head("CONNECT", "a.example:443"))
    yield Hostile("OPTIONS for the whole server", target.head("OPTIONS", "*"))
    yield Hostile("a proxy's request", target.head("GET", "http://a.example/"))
    yield Hostile("a web socket", target.head("GET", Connection="Upgrade", Upgrade="websocket"))
    yield Hostile(
        "two keys", target.head(Authorization="Bearer a")[:-2] + b"Authorization: Bearer b\r\n\r\n"
    )


def _broken_lengths(target: Target) -> Iterator[Hostile]:
    """Where a body ends: smuggling, bodies without end, bodies that are promised and never sent."""
    chunked = {"Content_Type": _JSON, "Transfer_Encoding": "chunked"}
    valid = json.dumps(dict(target.valid)).encode()
    for length in ("-1", "1e3", "+5", "0x10", "5 5", "5, 6"):
        yield Hostile(f"a length of {length}", target.post(valid, Content_Length=length))
    two = target.post(valid)[: -len(valid) - 2] + b"Content-Length: 3\r\n\r\n" + valid
    yield Hostile("two lengths", two)
    yield Hostile(
        "a length, and chunks",
        target.head(**chunked, Content_Length="4") + b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    )
    for coding in ("xchunked", "identity, chunked", "chunked, gzip"):
        head = target.head(Content_Type=_JSON, Transfer_Encoding=coding)
        yield Hostile(f"coded as {coding}", head + b"0\r\n\r\n")
    for size in ("zz", "-5", "f" * 30, "5;" + "a" * 50_000):
        yield Hostile(
            f"a chunk of {size[:8]}",
            target.head(**chunked) + f"{size}\r\nabcde\r\n0\r\n\r\n".encode(),
        )
    yield Hostile(
        "a chunk that is longer than it says", target.head(**chunked) + b"2\r\nabcdef\r\n0\r\n\r\n"
    )
    yield Hostile(
        "a body of 10 digits' bytes", target.head(Content_Type=_JSON, Content_Length="9" * 10)
    )
    yield Hostile(
        "a body of 20 digits' bytes", target.head(Content_Type=_JSON, Content_Length="9" * 20)
    )
    large = b"%x\r\n" % (target.max_body_bytes + 1) + b" " * (target.max_body_bytes + 1)
    yield Hostile("too many chunks", target.head(**chunked) + large + b"\r\n0\r\n\r\n")
    yield Hostile("a body over the limit", target.post(b" " * (target.max_body_bytes + 1)))
    asking = {"Expect": "100-continue", "Content_Length": str(target.max_body_bytes + 1)}
    yield Hostile("asking to send too much", target.head(Content_Type=_JSON, **asking))
    yield Hostile("a body that stops", target.post(valid, Content_Length="5000"), waits=True)
    yield Hostile("chunks that stop", target.head(**chunked) + b"1\r\n{\r\n", waits=True)


def _other_sites(target: Target) -> Iterator[Hostile]:
    """What a web page in the browser of this machine's user could send."""
    valid = json.dumps(dict(target.valid)).encode()
    names = [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "evil.example/",
        "*",
        "[::2]",
    ]
    for name in names:
        yield Hostile(f"host {name}", target.post(valid, Host=name))
    yield Hostile(
        "an empty host",
        target.post(valid).replace(b"Host: ", b"Host:", 1).replace(target.host.encode(), b"", 1),
    )
    for origin in (
        "https://evil.example",
        "null",
        "http://localhost:1",
        "file://",
        "chrome-extension://a",
    ):
        yield Hostile(f"a page of {origin}", target.post(valid, Origin=origin))
    asking = {"Origin": "https://evil.example", "Access_Control_Request_Method": "POST"}
    yield Hostile("a page that asks first", target.head("OPTIONS", **asking))


def _wrong_types(target: Target) -> Iterator[Hostile]:
    valid = json.dumps(dict(target.valid)).encode()
    types = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "json",
        ";",
        "",
    ]
    for kind in types:
        yield Hostile(f"sent as {kind or 'nothing'}", target.post(valid, Content_Type=kind))
    yield Hostile("compressed", target.post(valid, Content_Encoding="gzip"))


def _broken_bodies(target: Target) -> Iterator[Hostile]:
    yield Hostile("no body", target.post(b""))
    bodies = {
        "no JSON": b"query=a",
        "half of a body": json.dumps(dict(target.valid)).encode()[:-1],
        "two bodies": json.dumps(dict(target.valid)).encode() * 2,
        "bytes that are no UTF-8": b'{"a": "\xff\xfe"}',
        "UTF-16": json.dumps(dict(target.valid)).encode("utf-16"),
        "100,000 lists": b"[" * 100_000,
        "50,000 objects": b'{"a":' * 50_000,
        "500 lists": b"[" * 500 + b"]" * 500,
        "a list": b"[]",
        "a text": b'"a"',
        "null": b"null",
        "a number": b"1",
        "an empty object": b"{}",
        "a field with a line break": b'{"a\\nb\\u001b[31m": 1}',
        "a field that has half a character": b'{"a\\ud800": 1}',
    }
    for name, body in bodies.items():
        yield Hostile(name, target.post(body))
    values = {
        "NaN": "NaN",
        "Infinity": "-Infinity",
        "a float over all limits": "1e999",
        "a number of 5,000 digits": "9" * 5000,
        "half a character": '"a\\ud800b"',
        "the other half": '"\\udfff"',
        "a NUL": '"a\\u0000b"',
        "a number for a text": "1",
        "an object for a text": '{"$ne": null}',
        "a text of 900 KB": json.dumps("a" * 900_000),
        "an unescaped line break": '"a\nb"',
    }
    for name, value in values.items():
        yield Hostile(name, target.with_text(value))


def _wrong_paths(target: Target) -> Iterator[Hostile]:
    below = [
        "/../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd", "//etc/passwd",
        "/%2fetc%2fpasswd", "/..%5c..%5cwindows", "/%00", "/a%0d%0aSet-Cookie:%20a=b", "/" + "a" * 5000,
    ]  # fmt: skip
    for path in below:
        yield Hostile(f"{target.static}{path[:40]}", target.head("GET", target.static + path))
    for path in (
        "/.env",
        "/.git/config",
        "/%ff%fe",
        "/%ed%a0%80",
        "/..;/metrics",
        "/v1/..%2f..%2fetc",
    ):
        yield Hostile(path, target.head("GET", path))
