"""What a page says of itself: title, subtitle, author, time, language, site and canonical link."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

from rag_llm_system.application.crawlers.extraction.dates import iso_date, written_date
from rag_llm_system.application.crawlers.extraction.elements import is_permalink
from rag_llm_system.application.crawlers.extraction.linked_data import Article

_TITLE_NAMES = ("og:title", "twitter:title", "dc.title")
_SUMMARY_NAMES = ("og:description", "description", "twitter:description")
_AUTHOR_NAMES = ("author", "article:author", "parsely-author", "sailthru.author", "dc.creator")
_DATE_NAMES = (
    *("article:published_time", "datepublished", "og:published_time", "parsely-pub-date"),
    *(
        "publish-date",
        "publication_date",
        "pubdate",
        "sailthru.date",
        "dc.date",
        "dc.date.issued",
        "date",
    ),
)
_SITE_NAMES = ("og:site_name", "application-name")
_BESIDE_TITLE = re.compile(r"\s+(?:[|\u2013\u2014\u00b7\u2022\u00bb\u00ab:-]+|::)\s+")
_BYLINE = re.compile(r"(?:^|[\s_-])(?:byline|author|posted-?by|written-?by)", re.IGNORECASE)
_NO_BYLINE = re.compile(r"bio|box|image|avatar|photo|social|comment|related|list", re.IGNORECASE)
_BY = re.compile(r"^(?:(?:written|posted|published|reviewed)\s+)?by[:\s]+", re.IGNORECASE)
_NO_NAME = re.compile(
    r"https?:|www\.|[@/|\d]|\b(?:admin|staff|read|share|updated|author)\b", re.IGNORECASE
)
_MAX_NAME_WORDS, _MAX_NAME_CHARS = 8, 60
_DATED_LINK = re.compile(r"/((?:19|20)\d\d)/(\d\d)/(\d\d)(?=/|$)")
_LANGUAGE_NAMES = ("og:locale", "content-language", "dc.language", "language")

_Metas = dict[str, list[str]]


@dataclass(frozen=True)
class Metadata:
    """Empty texts stand for what is not said. ``titles`` and ``summaries`` are all that the page announces."""

    title: str = ""
    subtitle: str = ""
    author: str = ""
    published: str = ""
    language: str = ""
    site_name: str = ""
    canonical: str = ""
    titles: Sequence[str] = ()
    summaries: Sequence[str] = ()


def metadata_of(
    root: Any, url: str, articles: Sequence[Article] = (), head: Sequence[str] = ()
) -> Metadata:
    """From JSON-LD, metadata elements and headings, in the order that was right most often (see the docs).

    ``articles`` is what JSON-LD describes; ``head`` are the texts around the title, where a date may be written.
    """
    metas = _metas(root)
    site = _first(_said(metas, _SITE_NAMES))
    page_title = _line(root.findtext(".//title"))
    announced = [*_said(metas, _TITLE_NAMES)]
    bare = [_without_site(one, site, url) for one in (*announced, page_title) if one]
    headlines = [article.headline for article in articles if article.headline]
    summaries = [*_said(metas, _SUMMARY_NAMES)]
    title = _title(root, headlines, bare)
    return Metadata(
        title=title,
        subtitle=_subtitle(summaries, title),
        author=_author(root, articles, metas, site),
        published=_published(root, articles, metas, url) or written_date(head),
        language=_language(root, articles, metas),
        site_name=site or _first(article.publisher for article in articles),
        canonical=_canonical(root, metas, url),
        titles=[*dict.fromkeys((*headlines, *announced, *bare, page_title))],
        summaries=[*dict.fromkeys(summaries)],
    )


def _metas(root: Any) -> _Metas:
    """Contents of the metadata elements by their names in lower case."""
    found: _Metas = {}
    for element in root.iter("meta"):
        content = _line(element.get("content"))
        for key in ("property", "name", "itemprop", "http-equiv"):
            name = (element.get(key) or "").strip().lower()
            if name and content:
                found.setdefault(name, []).append(content)
    return found


def _said(metas: _Metas, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from metas.get(name, ())


def _title(root: Any, headlines: Sequence[str], announced: Sequence[str]) -> str:
    """A main heading that the page also announces, else the headline, else a main heading, else what is announced.

    Of several such headings the longest: the name of the site may be one of them.
    """
    headings = [(each, text) for each in root.iter("h1") if (text := _heading(each))]
    said = [_plain(one) for one in (*headlines, *announced)]
    agreed = [
        text
        for _, text in headings
        if (plain := _plain(text)) and any(plain in one or one in plain for one in said if one)
    ]
    if agreed:
        return max(agreed, key=len)
    inside = [
        text
        for each, text in headings
        if next(each.iterancestors("article", "main"), None) is not None
    ]
    texts = [text for _, text in headings]
    alone = texts if len(texts) == 1 else []
    return _first((*inside, *alone, *headlines, *announced, *texts))


def _heading(element: Any) -> str:
    pieces = [element.text or ""]
    for child in element:
        hidden = child.tag == "a" and is_permalink(child)
        pieces.append("" if hidden else str(child.text_content()))
        pieces.append(child.tail or "")
    return _line("".join(pieces))


def _without_site(title: str, site: str, url: str) -> str:
    """A title without the name of the site before or after it."""
    parts = [part for part in _BESIDE_TITLE.split(title) if part.strip()]
    if len(parts) < 2:
        return title
    host = (_host(url) or "").removeprefix("www.").partition(".")[0]
    names = [_plain(name).replace(" ", "") for name in (site, host) if name]
    ends = {0: parts[0], len(parts) - 1: parts[-1]}
    kept = dict(enumerate(parts))
    for at, part in ends.items():
        plain = _plain(part).replace(" ", "")
        if plain and any(plain in name or name in plain for name in names) and len(kept) > 1:
            del kept[at]
    if len(kept) == len(parts) and "|" in title:
        del kept[len(parts) - 1]
    first, last = min(kept), max(kept)
    start = title.index(parts[first])
    return title[start : title.index(parts[last], start) + len(parts[last])].strip()


def _subtitle(summaries: Sequence[str], title: str) -> str:
    return _first(one for one in summaries if _plain(one) != _plain(title))


def _author(root: Any, articles: Sequence[Article], metas: _Metas, site: str) -> str:
    return _first(
        (
            *(name for article in articles for name in article.authors),
            *filter(None, map(_name, _said(metas, _AUTHOR_NAMES))),
            *(name for name in map(_name, _bylines(root)) if _plain(name) != _plain(site)),
        )
    )


def _bylines(root: Any) -> Iterator[str]:
    for element in root.iter("a", "span", "div", "p", "address", "h3", "h4", "cite"):
        marked = element.get("rel") == "author" or element.get("itemprop") == "author"
        classes = element.get("class") or ""
        if marked or (_BYLINE.search(classes) and not _NO_BYLINE.search(classes)):
            text = _line(element.text_content())
            if len(text) <= _MAX_NAME_CHARS:
                yield text


def _name(text: str) -> str:
    """The person's name of a byline, or "" when it is none."""
    name = _BY.sub("", text).strip(" ,.|\"'\u00b7\u2022-")
    words = name.split()
    if (
        not 1 <= len(words) <= _MAX_NAME_WORDS
        or len(name) > _MAX_NAME_CHARS
        or _NO_NAME.search(name)
    ):
        return ""
    return name


def _published(root: Any, articles: Sequence[Article], metas: _Metas, url: str) -> str:
    marked = root.iterfind(".//*[@itemprop='datePublished']")
    said = (
        *(article.published for article in articles),
        *_said(metas, _DATE_NAMES),
        *(each.get("content") or each.get("datetime") or "" for each in marked),
        *(each.get("datetime") or "" for each in root.iter("time")),
        *("-".join(found) for found in _DATED_LINK.findall(url)),
    )
    return _first(date for one in said if (date := iso_date(one)))


def _language(root: Any, articles: Sequence[Article], metas: _Metas) -> str:
    """Without its region: "en" of "en-GB"."""
    said = (
        *(root.get(key) for key in ("lang", "xml:lang")),
        *_said(metas, _LANGUAGE_NAMES),
        *(article.language for article in articles),
    )
    for one in said:
        if found := re.match(r"\s*([a-zA-Z]{2,3})(?:[-_\s,]|$)", one or ""):
            return found[1].lower()
    return ""


def _canonical(root: Any, metas: _Metas, url: str) -> str:
    """Absolute, or "" where the page names none on the web."""
    links = (
        element.get("href")
        for element in root.iter("link")
        if "canonical" in (element.get("rel") or "").lower().split()
    )
    for one in (*links, *metas.get("og:url", ())):
        link = _joined(url, (one or "").strip())
        if link.startswith(("http://", "https://")) and _host(link):
            return link
    return ""


def _joined(url: str, link: str) -> str:
    try:
        return urljoin(url, link) if link else ""
    except ValueError:  # such as an unclosed bracket
        return ""


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text)).casefold()


def _line(text: str | None) -> str:
    """On one line; pages escape twice what they put into metadata."""
    return " ".join(unescape(text or "").split())


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
