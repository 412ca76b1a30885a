"""Whether a request's head may be read at all: its size, and what two readers could understand differently."""

from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.types import Scope

MAX_PATH_BYTES = 8_000
MAX_HEADERS_BYTES = 16_000
"""Ours are a few hundred; a browser's cookies for other servers on this machine come on top."""

_MAX_METHOD_BYTES = 20
# h11 takes any digits; the later ones are what servers that speak them say
_VERSIONS = {"1.0", "1.1", "2", "3"}
_AT_MOST_ONE = ("authorization", "content-length", "content-type", "host", "origin", "x-api-key")
_LAST_CONTROL, _DELETE = 0x1F, 0x7F


def unreadable(scope: Scope) -> tuple[int, str] | None:
    """The status and the line for a head that is refused; None for one that is in order."""
    headers = Headers(scope=scope)
    path = scope.get("raw_path") or scope["path"].encode()
    if scope.get("http_version", "1.1") not in _VERSIONS:
        return 400, "this server speaks HTTP/1.1"
    if len(scope["method"]) > _MAX_METHOD_BYTES:
        return 400, "there is no such method"
    if len(path) + len(scope["query_string"]) > MAX_PATH_BYTES:
        return 414, f"the path is too long; at most {MAX_PATH_BYTES:,} bytes"
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS_BYTES:
        return 431, f"the headers are too large; at most {MAX_HEADERS_BYTES:,} bytes"
    # a proxy before us may have chosen the other one
    if "transfer-encoding" in headers and "content-length" in headers:
        return 400, "a request has either Content-Length or Transfer-Encoding"
    for name in _AT_MOST_ONE:
        if len(headers.getlist(name)) > 1:
            return 400, f"a request has one {name} header at most"
    if any(byte <= _LAST_CONTROL or byte == _DELETE for byte in unquote_to_bytes(path)):
        return 400, "the path has a control character"
    return None
