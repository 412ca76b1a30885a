"""Finds the content of a page and what the page says of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import trafilatura

from rag_llm_system.application.crawlers.extraction.blocks import Block, blocks_of
from rag_llm_system.application.crawlers.extraction.linked_data import Article, articles_of
from rag_llm_system.application.crawlers.extraction.markdown import markdown_of, without_opening
from rag_llm_system.application.crawlers.extraction.metadata import Metadata, metadata_of
from rag_llm_system.application.crawlers.extraction.model import chances_of
from rag_llm_system.application.crawlers.extraction.page import tree_of
from rag_llm_system.application.crawlers.extraction.selection import Candidate, chosen
from rag_llm_system.application.crawlers.extraction.traits import (
    VOTE,
    Known,
    Numbers,
    traits_of,
    votes_of,
)
from rag_llm_system.domain.crawling import Extracted

_SHORT_CHARS = 300  # a text shorter than that may be a slip
_FAR_MORE = 2
_AGREED = 0.5
_HEAD_BLOCKS = 6, 14  # before and after the title: where pages write the date
_HEAD_CHARS = 160


@dataclass(frozen=True)
class Reading:
    """A page taken apart."""

    root: Any
    blocks: Sequence[Block]
    articles: Sequence[Article]
    said: Metadata
    opinion: str
    traits: Numbers


@dataclass(frozen=True)
class Content:
    """What a page is about."""

    text: str
    image_count: int = 0


def extract_article(html: str, url: str) -> Extracted:
    """The main content of a page as Markdown, on a forum its posts, with what the page says of itself.

    Any text is taken; where there is no content, ``text`` is empty.
    """
    reading = read_page(html, url)
    if reading is None:
        return Extracted(text="")
    content = content_of(reading, chances_of(reading.traits).tolist())
    said = reading.said
    return Extracted(
        text=content.text,
        title=said.title,
        subtitle=said.subtitle,
        author=said.author,
        published=said.published,
        language=said.language,
        site_name=said.site_name,
        canonical=said.canonical,
        image_count=content.image_count,
    )


def read_page(html: str, url: str) -> Reading | None:
    """None where there is nothing to read."""
    root = tree_of(html)
    if root is None:
        return None
    blocks = blocks_of(root)
    articles = articles_of(root)
    said = metadata_of(root, url, articles, _head(blocks))
    other = trafilatura.bare_extraction(root, url=url or None, fast=True)
    opinion, comments = (other.text or "", other.comments or "") if other else ("", "")
    known = Known(url, opinion, comments, said.titles, said.summaries)
    traits = traits_of(blocks, known)
    return Reading(root, blocks, articles, said, f"{opinion}\n{comments}".strip(), traits)


def _head(blocks: Sequence[Block]) -> list[str]:
    title = next((at for at, block in enumerate(blocks) if block.level == 1), 0)
    before, after = _HEAD_BLOCKS
    around = blocks[max(0, title - before) : title + after]
    return [block.text for block in around if len(block.text) < _HEAD_CHARS]


def content_of(reading: Reading, chances: Sequence[float]) -> Content:
    """The content without a heading that repeats the title."""
    content = _found(reading, chances)
    return replace(content, text=without_opening(content.text, reading.said.title))


def _found(reading: Reading, chances: Sequence[float]) -> Content:
    """The likely blocks; what another extractor, or JSON-LD, has where that is far more."""
    if _holds_nothing_else(reading.root):
        return _content(reading.blocks)
    votes = reading.traits[:, VOTE].tolist()
    candidates = map(Candidate, reading.blocks, chances, votes)
    content = _content(chosen([*candidates]))
    for find in (_voted, _linked):
        if len(content.text) < _SHORT_CHARS:
            other = find(reading)
            if len(other.text) > _FAR_MORE * len(content.text):
                content = other
    return content


def _holds_nothing_else(root: Any) -> bool:
    """Is the page one article without anything around it, as feeds and exports are wrapped?"""
    body = root.find("body")
    if body is None or len(body) != 1 or body.attrib or (body.text or "").strip():
        return False
    only = body[0]
    return only.tag == "article" and not only.attrib and not (only.tail or "").strip()


def _content(blocks: Sequence[Block]) -> Content:
    return Content(markdown_of(blocks), sum(block.images for block in blocks))


def _voted(reading: Reading) -> Content:
    """What the other extractor took, as blocks, or as it gave it where it is in no block."""
    opinion = reading.opinion
    votes = votes_of(reading.blocks, opinion)
    content = _content(
        [block for block, vote in zip(reading.blocks, votes, strict=True) if vote > _AGREED]
    )
    if len(opinion) > _FAR_MORE * len(content.text):
        return Content(opinion.replace("\n", "\n\n"))
    return content


def _linked(reading: Reading) -> Content:
    """The longest text that the page's JSON-LD holds."""
    root = tree_of(max((article.body for article in reading.articles), key=len, default=""))
    return _content(blocks_of(root)) if root is not None else Content("")
