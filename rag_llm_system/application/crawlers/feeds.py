"""Reads RSS, Atom and JSON feeds from their text: no network, and no entity that a feed declares is expanded."""

import io
import json
import re
from calendar import timegm
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from html import escape, unescape
from html.entities import html5
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser

from rag_llm_system.domain.crawling import Feed, FeedItem
from rag_llm_system.domain.documents import canonical_link
from rag_llm_system.domain.errors import CrawlError

MAX_ITEMS = 10_000  # the longest feeds of podcasts and archives have a few thousand
_HEAD_CHARS = 2_000
_MAX_LINK_CHARS = 4_000  # servers refuse longer ones, most of them from 8 kB on

_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"}
)
_ROOTS = frozenset({"rss", "feed"})
# RDF is more than RSS 0.9 and 1.0; those name themselves in a namespace
_RDF_FEEDS = ("purl.org/rss/1.0", "my.netscape.com/rdf")
_JSON_FEED = re.compile(r'"version"\s{0,9}:\s{0,9}"https?:\\?/\\?/jsonfeed\.org\\?/version')

# Each branch uses up what it matched, so a long prologue takes linear time.
_ROOT = re.compile(
    r"(?>[\s\ufeff]++|<\?.*?\?>|<!--.*?-->|<!doctype[^<>\[]*+(?:\[[^\]]*+\])?[^<>]*+>)*+<([a-z_][\w.:-]*)",
    re.DOTALL | re.IGNORECASE,
)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_AMPERSANDS = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
    r"|&(?:#(\d{1,7});|#[xX]([0-9a-fA-F]{1,6});|([a-zA-Z][a-zA-Z0-9]{0,31};))?",
    re.DOTALL,
)
_XML_ENTITIES = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})
_TAG = re.compile(r"<[a-zA-Z!/][^<>]*>")
_ONLY_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def looks_like_feed(content_type: str, head: str) -> bool:
    """Whether an answer is a feed, by its first characters, or by its type where those do not tell."""
    root = root_of(head)
    if root == "rdf:rdf":
        return any(name in head for name in _RDF_FEEDS)
    if root:
        return root in _ROOTS
    if head.lstrip("\ufeff \t\r\n").startswith("{") and _JSON_FEED.search(head):
        return True
    return content_type.partition(";")[0].strip().lower() in _TYPES


def root_of(head: str) -> str:
    """The lower-case name of the root element of XML or HTML, "" where there is none in sight."""
    found = _ROOT.match(head[:_HEAD_CHARS])
    return found[1].lower() if found else ""


def parse_feed(text: str, url: str) -> Feed:
    """The entries in the order of the feed, each link once; what has no link of the web is skipped. Pure.

    Dates are UTC, and one without a zone is taken as such. Of a feed that is cut off or not well-formed, what can be
    read is given. Raises CrawlError when it is no feed; one without entries is an empty Feed.
    """
    text = text.lstrip("\ufeff \t\r\n")
    if not text:
        raise CrawlError(canonical_link(url), "the feed is empty", kind="empty")
    title, items = _of_json(text, url) if text.startswith("{") else _of_xml(text, url)
    unique: dict[str, FeedItem] = {}
    for item in items:
        unique.setdefault(item.link, item)
        if len(unique) == MAX_ITEMS:
            break
    return Feed(title=title, items=tuple(unique.values()))


def web_link(link: str, base: str) -> str:
    """The canonical http(s) link that ``link`` means on the page ``base``; "" for any other."""
    if not link.strip() or len(link) > _MAX_LINK_CHARS:
        return ""
    try:
        named, absolute = urlsplit(link.strip()), urljoin(base, link.strip().replace(" ", "%20"))
        parts = urlsplit(absolute)
        usable = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
        # "https://" is cut off, and not the page itself
        return canonical_link(absolute) if usable and (named.netloc or not named.scheme) else ""
    except ValueError:
        return ""


def mended(text: str) -> str:
    """XML in which every reference is one that XML itself knows: others become their character or plain text.

    So neither ``&nbsp;`` nor a bare ampersand breaks a document, and no declared entity is ever expanded.
    """
    return _AMPERSANDS.sub(_mended_reference, _NOT_IN_XML.sub("", text))


def _mended_reference(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if match[0].startswith("<") or name in _XML_ENTITIES:
        return match[0]
    if decimal or hexadecimal:
        code = int(decimal) if decimal else int(hexadecimal, 16)
        usable = code in {9, 10, 13} or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE
        return match[0] if usable or 0x10000 <= code < 0x110000 else ""
    return escape(html5[name]) if name in html5 else f"&amp;{name or ''}"


def _of_xml(text: str, url: str) -> tuple[str, Iterator[FeedItem]]:
    # A stream: feedparser would open a string that looks like a link or a file name. Markup is left as it is,
    # since sanitising drops what it does not know and would rewrite code; it goes to extraction, not to a browser.
    parsed = feedparser.parse(
        io.BytesIO(mended(text).encode("utf-8", "replace")),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        resolve_relative_uris=False,
        sanitize_html=False,
    )
    if not parsed["version"] and not parsed["entries"]:
        kind = "an HTML page" if root_of(text) == "html" else "neither RSS nor Atom nor JSON Feed"
        raise CrawlError(canonical_link(url), f"no feed: it is {kind}", kind="not text")
    return _title_of(parsed["feed"]), _items_of(parsed["entries"], url)


def _items_of(entries: Iterable[Any], url: str) -> Iterator[FeedItem]:
    for entry in entries:
        if link := _link_of(entry, url):
            yield FeedItem(
                link=link,
                title=_title_of(entry),
                author=_names(author.get("name") for author in entry.get("authors", ())),
                published=_published(entry),
                html=_html_of(entry.get("content", ())),
            )


def _link_of(entry: Any, url: str) -> str:
    link = entry.get("feedburner_origlink") or entry.get("link") or ""
    if not entry.get("links") and not link.startswith(("http://", "https://")):
        return ""  # the identifier of an entry without a link stands in for it, and need not be one
    return web_link(link, url)


def _title_of(entry: Any) -> str:
    title = str(entry.get("title") or "")
    if entry.get("title_detail", {}).get("type", "text/plain") != "text/plain":
        title = unescape(_TAG.sub("", title))
    return " ".join(title.split())


def _names(found: Iterable[object]) -> str:
    names = (" ".join(unescape(str(name or "")).split()) for name in found)
    # feedparser cuts "mail@host (Name)" wrongly when the host's last part is longer than four letters
    whole = (n.rpartition("(")[2] if "(" in n and ")" not in n else n for n in names)
    return ", ".join(dict.fromkeys(name for name in whole if name and "@" not in name))


def _published(entry: Any) -> str:
    for name in ("published", "updated", "created"):
        # not entry.get, which answers for "updated" with "published" and warns of it
        parsed, written = dict.get(entry, f"{name}_parsed"), str(dict.get(entry, name) or "")
        if parsed is None:
            continue
        try:
            moment = datetime.fromtimestamp(timegm(parsed), UTC)
        except (ValueError, OverflowError):
            continue  # a year beyond 9999
        return iso_utc(written) if _ONLY_DATE.fullmatch(written.strip()) else moment.isoformat()
    return ""


def _html_of(contents: Iterable[Mapping[str, str]]) -> str:
    """The longest of the contents: feeds repeat a summary as one."""
    found = [
        _as_html(content["value"]) if content.get("type") == "text/plain" else content["value"]
        for content in contents
    ]
    return max(found, key=len, default="")


def _as_html(text: str) -> str:
    return "".join(f"<p>{escape(part.strip())}</p>" for part in text.split("\n\n") if part.strip())


def _of_json(text: str, url: str) -> tuple[str, Iterator[FeedItem]]:
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CrawlError(
            canonical_link(url), f"no feed: not readable as JSON ({error})", kind="damaged"
        ) from error
    version = feed.get("version") if isinstance(feed, dict) else None
    if not isinstance(version, str) or "jsonfeed.org/version" not in version:
        raise CrawlError(
            canonical_link(url), "no feed: JSON, but no JSON Feed (jsonfeed.org)", kind="not text"
        )
    entries = feed.get("items")
    found = entries if isinstance(entries, list) else []
    return _text(feed, "title"), _json_items(found, url)


def _json_items(entries: Iterable[object], url: str) -> Iterator[FeedItem]:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        identifier = _text(entry, "id")
        link = _text(entry, "url") or _text(entry, "external_url")
        if not link and identifier.startswith(("http://", "https://")):
            link = identifier
        if link := web_link(link, url):
            authors = entry.get("authors")
            authors = authors if isinstance(authors, list) else [entry.get("author")]
            yield FeedItem(
                link=link,
                title=" ".join(_text(entry, "title").split()),
                author=_names(a.get("name") for a in authors if isinstance(a, dict)),
                published=iso_utc(_text(entry, "date_published") or _text(entry, "date_modified")),
                html=_text(entry, "content_html") or _as_html(_text(entry, "content_text")),
            )


def _text(record: Mapping[str, object], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def iso_utc(written: str) -> str:
    """An ISO 8601 time in UTC, a date without time as it is; "" for anything else."""
    try:
        if _ONLY_DATE.fullmatch(written.strip()):
            return date.fromisoformat(written.strip()).isoformat()
        moment = datetime.fromisoformat(written.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return ""
