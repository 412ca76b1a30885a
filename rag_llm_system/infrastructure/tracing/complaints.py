"""What goes wrong between the Opik SDK and its server, said in one line and once."""

import logging
import threading
import time
from collections.abc import Callable

import httpx

from rag_llm_system.domain.redaction import redact

LOGGER = logging.getLogger(__name__)

# The SDK asks its server for a sign of life every 10 s and gives it 5 s to answer.
PATIENCE_S = 20.0
_LONGEST_REASON_CHARS = 200


class Complaints(logging.Handler):
    """Hears the SDK's own warnings and its HTTP traffic; the first sign of lost traces becomes one warning."""

    def __init__(self, destination: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._destination = redact(destination)
        self._once = threading.Lock()
        self._clock = clock
        self._asked = False
        self._answered_at = clock()

    def emit(self, record: logging.LogRecord) -> None:
        # What a flush could not deliver is judged, and said more clearly, by the tracer that asked for it.
        if not record.name.endswith(".flush_reporter"):
            self.warn(record.getMessage())

    def on_request(self, _request: httpx.Request) -> None:
        self._asked = True
        if self._clock() - self._answered_at > PATIENCE_S:
            self.warn("no answer")

    def on_response(self, _response: httpx.Response) -> None:
        self._answered_at = self._clock()

    def ignored_since(self, moment: float) -> bool:
        """Whether requests went out and none was answered after that moment of the clock.

        Clients with the same configuration share a connection, and its first owner hears of it: who hears
        nothing at all knows nothing.
        """
        return self._asked and self._answered_at <= moment

    def warn(self, reason: str) -> None:
        # Taken and never given back: whoever comes second stays silent.
        if self._once.acquire(blocking=False):
            line = redact(" ".join(reason.split()))[:_LONGEST_REASON_CHARS]
            LOGGER.warning(
                "traces are lost at %s: %s. The work itself goes on.", self._destination, line
            )
