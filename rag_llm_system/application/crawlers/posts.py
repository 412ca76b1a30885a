"""What the crawlers of platforms have in common: a post, its document, and the pages they ask for."""

import re
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from typing import Protocol

from pydantic import Field

from rag_llm_system.domain.crawling import CrawlEnd, FoundLink
from rag_llm_system.domain.documents import Author, Document, Page, Source, Value, canonical_link

Items = Generator[Document | FoundLink, None, CrawlEnd]
_WORD = re.compile(r"[^\W_]+")


class Pages(Protocol):
    """Reads pages; what is not one raises CrawlError with its kind."""

    def read(self, link: str, known: Source | None = None) -> Page | None:
        """The page, or None when it has not changed since ``known``."""

    def text(self, link: str) -> str:
        """A feed, or the JSON of a public API."""


class Post(Value):
    """A story, post or note, as its page, its feed or an API gives it.

    ``preview``: readers without an account or a subscription are shown its beginning only. ``profile`` is its author's
    page; ``left_out`` counts what the text does not hold, such as embedded videos.
    """

    id: str
    link: str
    title: str = ""
    subtitle: str = ""
    text: str
    author: str = ""
    published: str = ""
    language: str = ""
    profile: str = ""
    preview: bool = False
    left_out: Mapping[str, int] = Field(default_factory=dict)

    @property
    def size_words(self) -> int:
        """Words, or a fifth of the characters where those are more, as for writing without blanks."""
        return max(len(_WORD.findall(self.text)), len(self.text) // 5)


def document_of(
    post: Post, author: Author, source: Source, *, platform: str, category: str, via: str = ""
) -> Document:
    """The post as a document; ``via`` names what its text was taken from, if not its page."""
    facts = {
        f"{platform}_id": post.id,
        "published_at": post.published,
        "language": post.language,
        "author_name": post.author,
        "via": via,
    }
    return Document(
        category=category,
        platform=platform,
        title=post.title,
        subtitle=post.subtitle,
        text=post.text,
        author_id=author.id,
        author_full_name=author.full_name,
        source=source,
        metadata={name: value for name, value in facts.items() if value},
    )


def source_of_page(page: Page, link: str, *, origin: str) -> Source:
    """Where the document ``link``, or the crawled link itself, was found."""
    return Source(
        link=link,
        origin=canonical_link(origin),
        final_url=page.final_url,
        fetched_at=page.fetched_at,
        http_status=page.status,
        etag=page.etag,
        last_modified=page.last_modified,
    )


def source_of_text(found_at: str, link: str, *, origin: str) -> Source:
    """The same for what was found in a feed or an API, which says nothing for a conditional request."""
    return Source(
        link=link, origin=canonical_link(origin), final_url=found_at, fetched_at=datetime.now(UTC)
    )
