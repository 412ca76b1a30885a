"""What the tests of platforms' crawlers share: pages in memory in the place of PageReader."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rag_llm_system.application.crawlers.posts import Items
from rag_llm_system.domain.crawling import CrawlEnd, FoundLink
from rag_llm_system.domain.documents import Document, Page, Source
from rag_llm_system.domain.errors import CrawlError


def html_page(
    html: str, url: str, *, fetched_at: datetime, etag: str, last_modified: str = ""
) -> Page:
    return Page(
        url=url,
        final_url=url,
        status=200,
        content=html.encode(),
        content_type="text/html",
        etag=etag,
        last_modified=last_modified,
        fetched_at=fetched_at,
    )


@dataclass
class Pages:
    """Stands for PageReader."""

    pages: Mapping[str, Page | CrawlError] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def read(self, link: str, known: Source | None = None) -> Page | None:
        found = self.pages[link]
        if isinstance(found, CrawlError):
            raise found
        return None if known and known.etag == found.etag else found

    def text(self, link: str) -> str:
        self.asked.append(link)
        if link not in self.texts:
            raise CrawlError(link, "HTTP 404 Not Found", kind="gone")
        return self.texts[link]


def drained(items: Items) -> tuple[list[Document | FoundLink], CrawlEnd]:
    found: list[Document | FoundLink] = []
    while True:
        try:
            found.append(next(items))
        except StopIteration as stop:
            return found, stop.value
