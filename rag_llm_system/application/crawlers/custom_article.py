"""Crawls any web page that holds an article, leaving out what surrounds it."""

import re
from collections.abc import Generator
from typing import Any

from trafilatura import extract, extract_metadata, load_html

from rag_llm_system.application.crawlers.code_blocks import lift_code, put_code
from rag_llm_system.application.crawlers.dispatcher import LeftOut, parse_link
from rag_llm_system.domain.documents import (
    Author,
    Document,
    Page,
    Source,
    canonical_link,
    sha256_of,
)
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Fetcher

CATEGORY = "articles"
# Shorter "articles" are notices such as "please enable JavaScript"; two sentences are longer.
MIN_TEXT_CHARS = 80


class CustomArticleCrawler:
    """One page, one document; its text is Markdown with headings, lists, tables and code as on the page."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def crawl(
        self, link: str, author: Author, known: Source | None
    ) -> Generator[Document, None, LeftOut]:
        host = parse_link(link).hostname or ""
        conditions = {"etag": known.etag, "last_modified": known.last_modified} if known else {}
        page = self._fetcher.fetch(link, **conditions)
        if page is not None:
            yield _document(canonical_link(link), host.removeprefix("www."), page, author)
        return {}

    def known_by(self, link: str) -> tuple[str, str]:
        """The page's own document."""
        return CATEGORY, canonical_link(link)


def _document(link: str, platform: str, page: Page, author: Author) -> Document:
    html = page.text
    tree = load_html(html)
    if tree is None:
        raise CrawlError(link, "no article text found")
    found = extract_metadata(tree, default_url=page.final_url, extensive=False)
    title, subtitle = _title(tree, found.title), _one_line(found.description)
    facts = {
        "language": (tree.get("lang") or "").strip().lower().partition("-")[0],
        "published_at": found.date,
        "site_name": _one_line(found.sitename),
    }
    text = _without_opening(_markdown(tree, html), title, subtitle)
    if len(text) < MIN_TEXT_CHARS:
        raise CrawlError(link, "no article text found")
    return Document(
        category=CATEGORY,
        platform=platform,
        title=title,
        subtitle=subtitle,
        text=text,
        author_id=author.id,
        author_full_name=author.full_name,
        source=Source(
            link=link,
            final_url=page.final_url,
            fetched_at=page.fetched_at,
            http_status=page.status,
            etag=page.etag,
            last_modified=page.last_modified,
        ),
        metadata={name: value for name, value in facts.items() if value},
    )


def _markdown(tree: Any, html: str) -> str:
    key = f"code{sha256_of(html)[:16]}"  # a page cannot contain a hash of itself
    fences = lift_code(tree, key)
    text = extract(
        tree,
        output_format="markdown",
        include_formatting=True,
        include_tables=True,
        include_comments=False,
    )
    return put_code(_tidied(text or ""), key, fences)


def _tidied(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    # between letters an underscore means nothing in Markdown, and names are searched as they are written
    names = re.sub(r"(?<=\w)\\_(?=\w)", "_", lines)
    return re.sub(r"\n{3,}", "\n\n", names)


def _title(tree: Any, announced: str | None) -> str:
    """The heading of the article if there is one, else what the page announces (JSON-LD, OpenGraph, title).

    Headings are the page's title more often than metadata, which carry the site's name (187 to 151 of 257 pages).
    """
    inside = tree.xpath("//article//h1 | //main//h1")
    everywhere = tree.xpath("//h1")
    headings = inside or (everywhere if len(everywhere) == 1 else [])
    return (_one_line(headings[0].text_content()) if headings else "") or _one_line(announced)


def _without_opening(text: str, *shown_elsewhere: str) -> str:
    """The text without a first heading that repeats the title and a first paragraph that repeats the subtitle."""
    for part in shown_elsewhere:
        opening, _, rest = text.partition("\n\n")
        if part and _words(opening) == _words(part):
            text = rest
    return text.strip("\n")


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text)).casefold()


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
