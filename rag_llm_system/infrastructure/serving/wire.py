"""How uvicorn reads requests off the wire: strictly, bounded, and not for ever."""

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_TIMEOUT_S = 10.0
"""How long the head of a request may take; a client that sends a byte now and then would hold a connection for ever."""

_MAX_HEAD_BYTES = 16_384
_KEEP_ALIVE_S = 10


def wire_limits(head_timeout_s: float = HEAD_TIMEOUT_S) -> dict[str, Any]:
    """Arguments for ``uvicorn.run`` and ``uvicorn.Config``.

    h11 refuses what proxies and servers might read differently, and bounds a head that arrives in pieces; the faster
    parser that uvicorn takes where it is installed does neither. What a proxy says of a client's address is not
    believed: whoever reaches the port could say it.
    """
    return {
        "http": partial(_TimedHeads, head_timeout_s=head_timeout_s),
        "ws": "none",
        "h11_max_incomplete_event_size": _MAX_HEAD_BYTES,
        "timeout_keep_alive": _KEEP_ALIVE_S,
        "server_header": False,
        "proxy_headers": False,
    }


class _TimedHeads(H11Protocol):
    """uvicorn's protocol with the one limit it lacks. It is extended by a class; there is no other way in."""

    def __init__(self, *arguments: Any, head_timeout_s: float, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_timeout_s = head_timeout_s
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._head_timer is None:
            # a part of the next head, or of a body that was answered before it was all there
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self._head_timeout_s, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
