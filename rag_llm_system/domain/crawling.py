"""What a crawl talks about: why a link failed, what a page was found to hold, and the state of every link."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal
from uuid import uuid5

from pydantic import Field

from rag_llm_system.domain.documents import NAMESPACE, Source, Value, canonical_link

FailureKind = Literal[
    "malformed",  # no usable link, or no crawler for it
    "not allowed",  # the config must say so first: local files, public LinkedIn pages
    "unsafe",  # a private address, a refused port or scheme
    "robots",  # robots.txt of the site says no
    "gone",  # 404, 410
    "refused",  # 401, 403, 451
    "busy",  # 429, 503
    "unreachable",  # no host, no connection, no answer in time, 5xx
    "challenge",  # "verify you are human"
    "login",
    "paywall",
    "error page",  # an error or consent page that says 200
    "script",  # nothing there without a browser
    "empty",  # no article in it
    "too large",  # over a limit of size, depth or time
    "not text",  # a PDF, an image, an archive
    "damaged",  # cut off, wrongly encoded, not what it says it is
    "failed",
]
RETRYABLE: frozenset[FailureKind] = frozenset({"busy", "unreachable"})
"""What may be gone a moment later; everything else is tried once a crawl."""

LinkStatus = Literal["pending", "fetched", "unchanged", "failed", "gone"]


class Fault(Value):
    """Why something is not an article."""

    kind: FailureKind
    reason: str


class Extracted(Value):
    """The article of a page. ``text`` is Markdown; ``published`` is an ISO 8601 date or time."""

    text: str
    title: str = ""
    subtitle: str = ""
    author: str = ""
    published: str = ""
    language: str = ""
    site_name: str = ""
    canonical: str = ""
    image_count: int = 0


class FeedItem(Value):
    """One entry of an RSS, Atom or JSON feed; ``html`` is its full content where the feed carries it, else ""."""

    link: str
    title: str = ""
    author: str = ""
    published: str = ""
    html: str = ""


class Feed(Value):
    """A list of links that somebody publishes: a feed, a sitemap, or the stories of a profile page."""

    title: str = ""
    items: Sequence[FeedItem] = ()


class FoundLink(Value):
    """A link that a crawler found and that the same crawl should visit."""

    link: str


class CrawlEnd(Value):
    """What a crawler says when it has given out everything.

    ``source`` is what the server said of the link itself, for the next conditional request.
    ``unchanged``: nothing was given out because the source is as it was. ``left_out`` counts by reason.
    """

    source: Source | None = None
    unchanged: bool = False
    left_out: Mapping[str, int] = Field(default_factory=dict)


class LinkState(Value):
    """What is known of one link of an author's crawls.

    ``anchor`` is category and link of the last document it gave: while that is stored, and ``revision`` is the
    crawler's, the next request may be conditional on ``source``. ``attempts`` counts failures in a row.
    """

    author_id: str
    link: str
    crawl_id: str = ""
    status: LinkStatus = "pending"
    kind: FailureKind | None = None
    reason: str = ""
    found_in: str = ""
    depth: int = 0
    attempts: int = 0
    documents: int = 0
    checked_at: datetime | None = None
    source: Source | None = None
    anchor: tuple[str, str] | None = None
    revision: str = ""

    @property
    def id(self) -> str:
        return link_state_id(self.author_id, self.link)


@lru_cache(maxsize=10_000)  # a crawl asks for each many times
def link_state_id(author_id: str, link: str) -> str:
    """uuid5 of author and canonical link, as text."""
    return str(uuid5(NAMESPACE, f"link:{author_id}:{canonical_link(link)}"))


class CrawlRun(Value):
    """One crawl of a list of links; ``finished_at`` is None while it runs, and after it was killed."""

    id: str
    author_id: str
    started_at: datetime
    finished_at: datetime | None = None

    @property
    def crawl_id(self) -> str:
        """Names this run among those of the same list."""
        return f"{self.id}@{self.started_at.isoformat()}"
