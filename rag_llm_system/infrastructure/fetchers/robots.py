"""What the robots.txt files of sites allow (RFC 9309)."""

import math
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import NamedTuple
from urllib.parse import urlsplit

from protego import Protego

from rag_llm_system.domain.crawling import FailureKind, Fault
from rag_llm_system.domain.documents import Page, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.politeness import Politeness

MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309, 2.5: at least this much is read
KEPT_S = 24 * 3600.0  # RFC 9309, 2.4: no longer
FAILURE_KEPT_S = 600.0  # then an unreadable robots.txt is asked for again
_STOP_CHECK_S = (
    0.2  # how soon those who wait for another thread's answer notice that the crawl was stopped
)

# RFC 9309, 2.3.1: without such a file everything is allowed, but nothing if the server does not say so. "failed" is
# a redirect without an end, which counts as none.
_ALLOWS_ALL: frozenset[FailureKind] = frozenset({"gone", "refused", "failed"})
# what is wrong with the link itself, and so with its pages
_NOT_OF_ROBOTS: frozenset[FailureKind] = frozenset({"unsafe", "malformed"})
_AGENT = re.compile(r"\s*user[ -]?agent\s*(?::|\s)\s*([^#]*)", re.IGNORECASE)


class Rules:
    """One robots.txt."""

    def __init__(self, text: str, user_agent: str) -> None:
        self._name = user_agent.partition(" ")[0].lower()  # what follows is the operator's contact
        self._parsed = Protego.parse(_without_others(text, self._name))

    def allow(self, link: str) -> bool:
        return self._parsed.can_fetch(link, self._name)

    @property
    def crawl_delay_s(self) -> float:
        return self._parsed.crawl_delay(self._name) or 0.0

    @property
    def sitemaps(self) -> list[str]:
        """Each once, in the order of the file."""
        links = dict.fromkeys(self._parsed.sitemaps)
        return [link for link in links if link.startswith(("https://", "http://"))]


_Origin = tuple[str, str, int | None]


class _Known(NamedTuple):
    outcome: Future[Rules | Fault]
    until: float


class Robots:
    """The robots.txt of every origin (scheme, host and port) that is asked for, each fetched once."""

    def __init__(self, fetch: Callable[[str], Page | None], politeness: Politeness) -> None:
        self._fetch = fetch
        self._politeness = politeness
        self._lock = threading.Lock()
        self._known: dict[_Origin, _Known] = {}

    def check(self, link: str) -> None:
        """Raises CrawlError when the page must not be fetched, or when nobody can say so."""
        if not self.rules_for(link).allow(link):
            host = urlsplit(link).hostname
            reason = f"robots.txt of {host} does not allow this page"
            raise CrawlError(link, reason, kind="robots")

    def rules_for(self, link: str) -> Rules:
        outcome = self._outcome(link)
        if isinstance(outcome, Fault):
            raise CrawlError(link, outcome.reason, kind=outcome.kind)
        return outcome

    def _outcome(self, link: str) -> Rules | Fault:
        origin = _origin(link)
        with self._lock:
            known = self._known.get(origin)
            if known and self._politeness.clock() < known.until:
                outcome, is_ours = known.outcome, False
            else:
                outcome, is_ours = Future[Rules | Fault](), True
                self._known[origin] = _Known(outcome, math.inf)
        if is_ours:
            try:
                outcome.set_result(self._load(link))
            except BaseException as error:  # an interrupt must not leave the others waiting
                outcome.set_exception(error)
                raise
            kept_s = FAILURE_KEPT_S if isinstance(outcome.result(), Fault) else KEPT_S
            self._known[origin] = _Known(outcome, self._politeness.clock() + kept_s)
        while not outcome.done():
            wait((outcome,), timeout=_STOP_CHECK_S)
            self._politeness.check(link)
        return outcome.result()

    def _load(self, link: str) -> Rules | Fault:
        parts = urlsplit(link)
        try:
            page = self._fetch(canonical_link(f"{parts.scheme}://{parts.netloc}/robots.txt"))
        except CrawlError as error:
            if error.kind in _ALLOWS_ALL and not self._politeness.is_stopped:
                return Rules("", self._politeness.user_agent)
            # without an answer, what is wrong is the host and not its robots.txt
            host_is_silent = error.kind == "unreachable" and not error.reason.startswith("HTTP ")
            if error.kind in _NOT_OF_ROBOTS or host_is_silent or self._politeness.is_stopped:
                return Fault(kind=error.kind, reason=error.reason)
            reason = f"robots.txt could not be read: {error.reason}"
            return Fault(kind="unreachable", reason=reason)
        rules = Rules(_text(page) if page else "", self._politeness.user_agent)
        self._politeness.slow_down(link, rules.crawl_delay_s)
        return rules


def _origin(link: str) -> _Origin:
    parts = urlsplit(link)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").rstrip("."), port


def _text(page: Page) -> str:
    """As much of it as is read; a line that is cut off might say something else."""
    content = page.content
    if len(content) > MAX_ROBOTS_BYTES:
        content = content[: content.rfind(b"\n", 0, MAX_ROBOTS_BYTES) + 1]
    return content.decode(page.encoding, errors="replace").removeprefix("\ufeff")


def _without_others(text: str, name: str) -> str:
    """The file with one name for all crawlers that we are not.

    Protego keeps the rules of a group once for each of its names: 15,000 names on 15,000 rules fill the memory.
    """
    return "\n".join(
        "User-agent: others"
        if (agent := _AGENT.match(line)) and not _is_for(agent[1], name)
        else line
        for line in text.splitlines()
    )


def _is_for(agent: str, name: str) -> bool:
    return agent.strip().lower().replace("*", "") in name
