"""HTTP messages as a forward proxy sees them: what a request asks for, and what may be passed on of it."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

# Headers that speak to the next hop alone (RFC 9110, 7.6.1), besides those that Connection names
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",  # codespell:ignore te
        "trailer",
        "upgrade",
    }
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STATUS_LINE = re.compile(r"HTTP/1\.[01] ([1-9]\d\d)(?: .*)?")
Header = tuple[str, str]


class BadMessage(Exception):
    """Not a message that a proxy may pass on; the text says why."""


class ProxyRequest(NamedTuple):
    """What a client asks a proxy for. ``head`` is what the server gets to read; a tunnel has none."""

    host: str
    port: int
    tunnel: bool = False
    head: bytes = b""
    body_bytes: int = 0


def parse_request(head: bytes) -> ProxyRequest:
    """The request of a message head that ends with an empty line; raises BadMessage."""
    line, headers = _split(head)
    method, _, rest = line.partition(" ")
    target, _, version = rest.partition(" ")
    if not _TOKEN.fullmatch(method) or version not in {"HTTP/1.1", "HTTP/1.0"}:
        raise BadMessage("not an HTTP/1 request")
    if method == "CONNECT":
        host, port = _authority(target, default_port=None)
        return ProxyRequest(host, port, tunnel=True)
    scheme, _, after = target.partition("://")
    if scheme.lower() != "http":
        raise BadMessage("a proxy request names http://host/path, or CONNECT host:port")
    authority = re.split(r"[/?#]", after, maxsplit=1)[0]
    host, port = _authority(authority, default_port=80)
    path = after[len(authority) :].partition("#")[0]
    path = path if path.startswith("/") else f"/{path}"
    passed_on = [("Host", authority), *(h for h in _end_to_end(headers) if h[0].lower() != "host")]
    return ProxyRequest(
        host,
        port,
        head=_head(f"{method} {path} HTTP/1.1", passed_on),
        body_bytes=_body_bytes(headers),
    )


def parse_answer(head: bytes) -> tuple[int, bytes]:
    """Status and head of an answer as the client gets it: the connection ends with it. Raises BadMessage.

    A client that kept the connection would send the next request, perhaps for another host, to this server.
    """
    line, headers = _split(head)
    if not (found := _STATUS_LINE.fullmatch(line)):
        raise BadMessage("not an HTTP/1 answer")
    return int(found[1]), _head(line, _end_to_end(headers))


def refusal(status: int, reason: str) -> bytes:
    """A whole answer of the proxy itself."""
    body = reason.encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    return _head(f"HTTP/1.1 {status} Refused by the egress proxy", headers) + body


def _split(head: bytes) -> tuple[str, list[Header]]:
    """Start line and headers. Bare line ends and folded lines are refused: readers disagree on them."""
    lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers: list[Header] = []
    for line in lines:
        if any(character in line for character in "\r\n\0"):
            raise BadMessage("a control character in the message head")
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.fullmatch(name):
            raise BadMessage("a malformed header line")
        headers.append((name, value.strip(" \t")))
    return lines[0], headers


def _end_to_end(headers: list[Header]) -> list[Header]:
    listed = ",".join(value for name, value in headers if name.lower() == "connection")
    dropped = _HOP_BY_HOP | {name.strip().lower() for name in listed.split(",")}
    return [header for header in headers if header[0].lower() not in dropped]


def _head(line: str, headers: list[Header]) -> bytes:
    lines = [line, *(f"{name}: {value}" for name, value in headers), "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _body_bytes(headers: list[Header]) -> int:
    lengths = {value for name, value in headers if name.lower() == "content-length"}
    if any(name.lower() == "transfer-encoding" for name, _ in headers):
        raise BadMessage("a request body must have a Content-Length")
    if not lengths:
        return 0
    length = lengths.pop()
    if lengths or not re.fullmatch(r"[0-9]{1,15}", length):
        raise BadMessage("a malformed Content-Length")
    return int(length)


def _authority(text: str, *, default_port: int | None) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port or default_port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.netloc != text or "@" in text:
        raise BadMessage("a malformed host and port")
    return host, port
