"""How often one caller may ask: a token bucket for each, in bounded memory."""

import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CALLERS = 10_000
"""About 2 MB. The caller that was silent longest is forgotten first, and starts with a full bucket again."""


class RateLimit:
    """Each caller may ask ``per_minute`` times at once after a rest, and at that rate from then on; 0: no limit."""

    def __init__(
        self,
        per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_callers: int = MAX_CALLERS,
    ) -> None:
        self._per_minute, self._clock, self._max_callers = per_minute, clock, max_callers
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        """Takes one request of ``caller``: 0 when it may be answered, else the seconds until the next one may.

        A request that is refused takes nothing.
        """
        if not self._per_minute:
            return 0.0
        now = self._clock()
        per_second = self._per_minute / 60
        left, since = self._buckets.pop(caller, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - since) * per_second)
        allowed = left >= 1
        self._buckets[caller] = (left - 1 if allowed else left, now)
        if len(self._buckets) > self._max_callers:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / per_second

    @property
    def callers(self) -> int:
        """How many are remembered."""
        return len(self._buckets)
