"""What goes wrong below a fetch, as a CrawlError."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import h2.events
import httpcore

from rag_llm_system.domain.crawling import FailureKind, Fault
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.addresses import UnusableHost
from rag_llm_system.infrastructure.fetchers.bodies import UnreadableBody

# Everything httpcore raises, and what it means for a page; a test compares this with the library.
FAILURES: dict[type[Exception], Fault] = {
    httpcore.TimeoutException: Fault(kind="unreachable", reason="no complete answer in time"),
    httpcore.NetworkError: Fault(kind="unreachable", reason="connection failed"),
    httpcore.ProtocolError: Fault(kind="damaged", reason="the server broke the HTTP protocol"),
    httpcore.ProxyError: Fault(kind="unreachable", reason="proxy error"),
    httpcore.UnsupportedProtocol: Fault(kind="unsafe", reason="unsupported protocol"),
    httpcore.ConnectionNotAvailable: Fault(kind="unreachable", reason="no connection available"),
}
_CUT_OFF = Fault(kind="unreachable", reason="the connection was cut off")
# How httpcore and h11 say that the other side went away, which it may do at any time.
_WENT_AWAY = ("disconnected", "peer closed connection", "peer unexpectedly closed")


@contextmanager
def translated(link: str) -> Iterator[None]:
    """Whatever the block raises on the way to a page is raised as a CrawlError of that link."""
    try:
        yield
    except UnusableHost as error:
        kind: FailureKind = "unsafe" if error.unsafe else "unreachable"
        raise CrawlError(link, str(error), kind=kind) from error
    except UnreadableBody as error:
        raise CrawlError(link, str(error), kind=error.kind) from error
    except tuple(FAILURES) as error:
        fault = _fault(error)
        raise CrawlError(link, fault.reason, kind=fault.kind) from error


def _fault(error: Exception) -> Fault:
    origin = next(iter(error.args), None)  # httpcore wraps the error of the socket or the protocol
    if isinstance(origin, ssl.SSLCertVerificationError):
        reason = f"TLS certificate refused: {origin.verify_message}"
        return Fault(kind="unreachable", reason=reason)
    if isinstance(origin, ssl.SSLError):
        return Fault(kind="unreachable", reason="TLS handshake failed")
    if isinstance(error, httpcore.ProtocolError) and (
        isinstance(origin, h2.events.Event) or any(sign in str(origin) for sign in _WENT_AWAY)
    ):
        return _CUT_OFF
    fault = next(fault for kind, fault in FAILURES.items() if isinstance(error, kind))
    if isinstance(origin, OSError) and origin.strerror:
        return Fault(kind=fault.kind, reason=f"{fault.reason}: {origin.strerror}")
    return fault
