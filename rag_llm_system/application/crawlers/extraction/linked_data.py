"""Reads the articles that a page describes in JSON-LD."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

_MAX_SCRIPTS = 20  # pages have one to five
_MAX_DEPTH = 8
_ARTICLES = frozenset(
    [
        "Article",
        "NewsArticle",
        "BlogPosting",
        "SocialMediaPosting",
        "TechArticle",
        "Report",
        "ScholarlyArticle",
        "DiscussionForumPosting",
        "QAPage",
        "Question",
        "Review",
        "LiveBlogPosting",
        "ReportageNewsArticle",
        "OpinionNewsArticle",
        "AnalysisNewsArticle",
        "Recipe",
        "HowTo",
    ]
)
_HOLDERS = ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "item")


@dataclass(frozen=True)
class Article:
    """What JSON-LD says of one article, a thread or a question; empty where it says nothing."""

    headline: str = ""
    authors: tuple[str, ...] = ()
    published: str = ""
    language: str = ""
    publisher: str = ""
    body: str = ""


def articles_of(root: Any) -> list[Article]:
    """In the page's order. Data that is not JSON, and what is not of its form, is passed over."""
    return [
        Article(
            headline=_text(item, "headline") or _text(item, "name"),
            authors=tuple(_names(item.get("author"), persons=True)),
            published=_text(item, "datePublished") or _text(item, "dateCreated"),
            language=_text(item, "inLanguage"),
            publisher=next(_names(item.get("publisher")), ""),
            body=_text(item, "articleBody") or _text(item, "text"),
        )
        for item in _items(root)
        if _ARTICLES & set(_kinds(item))
    ]


def _items(root: Any) -> Iterator[Mapping[str, Any]]:
    scripts = [
        script
        for script in root.iter("script")
        if (script.get("type") or "").split(";")[0].strip().lower() == "application/ld+json"
    ]
    for script in scripts[:_MAX_SCRIPTS]:
        yield from _objects(_parsed(script.text or ""))


def _parsed(text: str) -> object:
    """None for what is not JSON: a page is read without the metadata that it got wrong."""
    bare = text.strip().removeprefix("<!--").removesuffix("-->").strip().rstrip(";")
    try:
        return json.loads(bare, strict=False)  # raw line breaks within texts are common
    except (ValueError, RecursionError):
        return None


def _objects(data: object, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(data, list):
        for item in data:
            yield from _objects(item, depth + 1)
    elif isinstance(data, dict):
        yield data
        for key in _HOLDERS:
            yield from _objects(data.get(key), depth + 1)


def _kinds(item: Mapping[str, Any]) -> list[str]:
    kinds = item.get("@type")
    return [
        str(kind).rpartition("/")[2] for kind in (kinds if isinstance(kinds, list) else [kinds])
    ]


def _text(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key)
    return unescape(value).strip() if isinstance(value, str) else ""


def _names(value: object, *, persons: bool = False) -> Iterator[str]:
    """Names of one or several, as objects or as texts; those of organisations are left out if ``persons`` are asked."""
    for one in value if isinstance(value, list) else [value]:
        if persons and isinstance(one, dict) and "Organization" in _kinds(one):
            continue
        name = one.get("name") if isinstance(one, dict) else one
        for text in name if isinstance(name, list) else [name]:
            if isinstance(text, str) and text.strip() and not text.startswith(("http:", "https:")):
                yield " ".join(unescape(text).split())
