"""The links that wait to be crawled: host after host in turn, never more of one host at once than allowed."""

from collections import Counter, deque

from rag_llm_system.application.crawlers.report import domain_of
from rag_llm_system.domain.crawling import LinkState


class Frontier:
    """Hands out links so that one slow host cannot occupy every worker. Used by one thread."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._waiting: dict[str, deque[LinkState]] = {}
        self._running: Counter[str] = Counter()
        self._seen: set[str] = set()

    def __len__(self) -> int:
        """How many links were ever added."""
        return len(self._seen)

    def add(self, state: LinkState) -> bool:
        """Append a link; False when it was added before."""
        if state.id in self._seen:
            return False
        self._seen.add(state.id)
        self._waiting.setdefault(domain_of(state.link), deque()).append(state)
        return True

    def skip(self, state: LinkState) -> bool:
        """Count a link as added without handing it out, as it was done before; False when it was added already."""
        if state.id in self._seen:
            return False
        self._seen.add(state.id)
        return True

    def take(self) -> LinkState | None:
        """The next link of the host whose turn it is; None when every host with links is busy."""
        for host, links in self._waiting.items():
            if self._running[host] < self._per_host:
                state = links.popleft()
                del self._waiting[host]
                if links:
                    self._waiting[host] = links  # at the end: the others come first
                self._running[host] += 1
                return state
        return None

    def done(self, state: LinkState) -> None:
        """A link that was taken is finished, so its host has a free place."""
        self._running[domain_of(state.link)] -= 1
