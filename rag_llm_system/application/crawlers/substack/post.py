"""Reads Substack posts and notes: from their pages or from its public API. Pure functions on text."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from rag_llm_system.application.crawlers.feeds import iso_utc, parse_feed, web_link
from rag_llm_system.application.crawlers.page_facts import (
    article_of,
    canonical_of,
    language_of,
    linked_article,
    meta_of,
    named,
    text_of,
    tree_of,
)
from rag_llm_system.application.crawlers.posts import Post
from rag_llm_system.application.crawlers.sitemaps import looks_like_sitemap, parse_sitemap
from rag_llm_system.application.crawlers.substack.body import clean_body
from rag_llm_system.application.crawlers.substack.links import on_substack
from rag_llm_system.domain.documents import Value, canonical_link
from rag_llm_system.domain.errors import CrawlError

# The style sheets and scripts that every page of the platform loads, under whichever domain
_MARK = re.compile(
    r"<(?:link|script)\b[^<>]{0,300}?\b(?:href|src)\s{0,3}=\s{0,3}[\"']?https://substackcdn\.com/(?:bundle|min)/",
    re.IGNORECASE,
)
_HEAD_CHARS = 100_000
_PRELOADS = re.compile(r'window\._preloads\s*=\s*JSON\.parse\(("(?:[^"\\]++|\\.)*+")\)', re.DOTALL)
_POST_PATH = re.compile(r"/p/[^/]+/?")
_NOTE_PATH = re.compile(r"/note/(c-\d+)/?\Z")
_FREE = frozenset({"", "everyone"})
_RECORDINGS = frozenset({"podcast", "video"})

Record = Mapping[str, Any]


class ArchivePage(Value):
    """A part of a publication's archive: ``size`` entries, of which some are for paying subscribers only."""

    links: tuple[str, ...]
    size: int
    paid: int = 0


def looks_like_substack(html: str) -> bool:
    """Whether Substack made the page, under its own host or a publication's domain."""
    return _MARK.search(html[:_HEAD_CHARS]) is not None


def parse_substack(html: str, url: str) -> Post:
    """The post or note of a page. Raises CrawlError of kind "empty" when there is none.

    The body is the page's own; where a page is only its scripts, the one that it carries for them.
    """
    tree = tree_of(html)
    if tree is None:
        raise _empty(url)
    preloads = _preloads(tree)
    if note := _NOTE_PATH.search(urlsplit(url).path):
        comment = _record(_record(_record(preloads.get("feedData")).get("feedItem")).get("comment"))
        return _note(comment, url, note[1], _note_text(tree))
    record, linked = _record(preloads.get("post")), linked_article(tree)
    shown = [e for e in tree.find_class("available-content") for e in e.find_class("markup")]
    body = shown[0] if shown else _body_of(_text(record, "body_html"))
    post = _post(
        {
            "title": _first_text(tree, "post-title") or meta_of(tree, "og:title"),
            "subtitle": _first_text(tree, "subtitle"),
            "canonical_url": canonical_of(tree),
            "post_date": linked.get("datePublished") or "",
            **{name: value for name, value in record.items() if value},
        },
        body,
        url,
        language_of(tree),
    )
    free = str(linked.get("isAccessibleForFree", True)).lower() != "false"
    walled = not free or bool(tree.find_class("paywall"))
    author = post.author or named(linked, "author") or meta_of(tree, "author")
    return post.model_copy(update={"author": author, "preview": post.preview or walled})


def post_of_api(text: str, url: str) -> Post:
    """The post that the API gives; ``url`` is its page."""
    record = _record(_parsed(text, url))
    record = _record(record.get("post")) or record  # the answer by number wraps it
    if not _text(record, "title") and not _text(record, "body_html"):
        raise _empty(url)
    return _post(record, _body_of(_text(record, "body_html")), url)


def note_of_api(text: str, url: str) -> Post:
    """The note that the API gives; ``url`` is its page."""
    record = _record(_parsed(text, url))
    comment = _record(_record(record.get("item")).get("comment"))
    found = _NOTE_PATH.search(urlsplit(url).path)
    return _note(comment, url, found[1] if found else "", "")


def archive_page(text: str, url: str) -> ArchivePage:
    """One answer of ``/api/v1/archive``; posts for paying subscribers are counted and not linked."""
    entries = _parsed(text, url)
    if not isinstance(entries, list):
        raise CrawlError(canonical_link(url), "not the archive of a publication", kind="damaged")
    records = [_record(entry) for entry in entries]
    free = [record for record in records if _text(record, "audience") in _FREE]
    links = (
        web_link(_text(one, "canonical_url") or f"/p/{_text(one, 'slug')}", url) for one in free
    )
    return ArchivePage(
        links=tuple(dict.fromkeys(link for link in links if link)),
        size=len(entries),
        paid=len(records) - len(free),
    )


def posts_of_list(text: str, url: str) -> list[str]:
    """The posts that a feed or a sitemap of a publication lists."""
    parse = parse_sitemap if looks_like_sitemap(text[:2_000]) else parse_feed
    links = (item.link.partition("?")[0] for item in parse(text, url).items)
    return list(dict.fromkeys(link for link in links if _POST_PATH.fullmatch(urlsplit(link).path)))


def _post(record: Record, body: Any, url: str, language: str = "") -> Post:
    left_out = clean_body(body) if body is not None else {}
    if _text(record, "type") in _RECORDINGS or _text(record, "podcast_url"):
        left_out["recordings"] = 1
    title, subtitle = _text(record, "title"), _text(record, "subtitle")
    preview = _text(record, "audience") not in _FREE
    blocks = [] if body is None else [body]
    article = article_of(blocks, url, title=title, subtitle=subtitle, language=language)
    if not article.text and not preview:
        what = "a recording without text" if "recordings" in left_out else "no post on the page"
        raise CrawlError(canonical_link(url), what, kind="empty")
    bylines = record.get("publishedBylines")
    authors = (_text(_record(one), "name") for one in bylines) if isinstance(bylines, list) else ()
    return Post(
        id=str(record.get("id") or ""),
        link=_post_link(url, _text(record, "canonical_url")),
        title=title,
        subtitle=subtitle,
        text=article.text,
        author=", ".join(dict.fromkeys(name for name in authors if name)),
        published=iso_utc(_text(record, "post_date")),
        language=article.language,
        preview=preview,
        left_out=left_out,
    )


def _note(comment: Record, url: str, note_id: str, shown: str) -> Post:
    text = shown or _text(comment, "body")
    if not text:
        raise _empty(url)
    attachments = comment.get("attachments")
    count = len(attachments) if isinstance(attachments, list) else 0
    return Post(
        id=note_id,
        link=canonical_link(url).partition("?")[0],
        text=text,
        author=_text(comment, "name"),
        published=iso_utc(_text(comment, "date")),
        left_out={"attachments": count} if count else {},
    )


def _note_text(tree: Any) -> str:
    """The paragraphs of the page's own note; other notes are recommended after it."""
    boxes = tree.find_class("FeedProseMirror")
    parts = [(e.tag, text_of(e)) for e in boxes[0].iter("p", "li")] if boxes else []
    in_lists = {text for tag, text in parts if tag == "li"}
    lines = [f"- {text}" if tag == "li" else text for tag, text in parts if text]
    return "\n\n".join(line for line in lines if line not in in_lists)


def _preloads(tree: Any) -> Record:
    """What the page carries for its scripts: JSON inside a JSON text."""
    for script in tree.iter("script"):
        if found := _PRELOADS.search(script.text or ""):
            try:
                return _record(json.loads(json.loads(found[1])))
            except (ValueError, RecursionError):
                return {}  # the page itself is read without it
    return {}


def _parsed(text: str, url: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CrawlError(
            canonical_link(url),
            f"the answer of Substack's API is not JSON: {error}",
            kind="damaged",
        ) from error


def _record(value: object) -> Record:
    return value if isinstance(value, dict) else {}


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    return value.strip() if isinstance(value, str) else ""


def _first_text(tree: Any, name: str) -> str:
    return text_of(next(iter(tree.find_class(name)), None))


def _body_of(html: str) -> Any:
    tree = tree_of(f"<div>{html}</div>") if html else None
    return tree.find(".//div") if tree is not None else None


def _post_link(url: str, named_link: str) -> str:
    """The publication's own address of the post; pages of Substack may name one under another domain."""
    found = canonical_link(url).partition("?")[0]
    named_link = web_link(named_link, url).partition("?")[0]
    same_host = urlsplit(named_link).hostname == urlsplit(found).hostname
    usable = _POST_PATH.fullmatch(urlsplit(named_link).path) and (same_host or on_substack(url))
    return named_link if usable else found


def _empty(url: str) -> CrawlError:
    return CrawlError(canonical_link(url), "no post on the page", kind="empty")
