"""Finds the articles of a site: from its sitemaps, from an index page, from the feed that a page announces."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lxml import etree

from rag_llm_system.application.crawlers.feeds import iso_utc, mended, root_of, web_link
from rag_llm_system.application.crawlers.page_facts import tree_of
from rag_llm_system.domain.crawling import Feed, FeedItem
from rag_llm_system.domain.documents import canonical_link
from rag_llm_system.domain.errors import CrawlError

MAX_LINKS = 50_000  # sitemaps.org: what one sitemap may list at most
_NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
_ENDS = re.compile(r"</(?:[\w.-]+:)?(?:urlset|sitemapindex)\s*>\s*\Z", re.IGNORECASE)
_LINE = re.compile(r"https?://[^\s<>\"]{1,2000}\Z", re.IGNORECASE)
# An article among the links of a page earns as many points as this: a headline of some words, a date in its path, ...
_ENOUGH = 3
_SIBLINGS = 3  # so many links into one folder make a list
_MAX_ANCHORS = 20_000  # front pages of newspapers have up to a thousand
_ANCESTORS = 40  # deeper than pages are built, shallow enough for one that was built to be slow
_HEADINGS = frozenset({"h1", "h2", "h3", "h4"})
_OUTSIDE = frozenset({"nav", "footer", "aside", "form", "dialog", "menu"})
_OUTSIDE_ROLES = frozenset({"navigation", "contentinfo", "menu", "menubar", "dialog", "search"})
_OUTSIDE_CLASSES = re.compile(
    r"nav|navbar|navigation|menu|footer|breadcrumbs?|sidebar|pagination|pager|social|share|tags|byline|author"
    r"|cookie-banner|comments?"
)
_DATE = re.compile(
    r"/(?:19|20)\d\d/(?:0?[1-9]|1[0-2])/.*[^\d/]|[/-](?:19|20)\d\d-?(?:0[1-9]|1[0-2])-?[0-3]\d"
)
_WORDS = re.compile(r"[^\W_]+")
_TRACKING = re.compile(
    r"utm_.*|fbclid|gclid|igshid|mc_cid|mc_eid|ref|ref_src|source", re.IGNORECASE
)
_NO_PAGE = re.compile(
    r"\.(?:pdf|jpe?g|png|gif|webp|svg|ico|mp[34]|m4a|webm|zip|t?gz|xml|rss|atom|json|css|js|epub|docx?|xlsx?|pptx?)\Z",
    re.IGNORECASE,
)
# the last part of a path that is a page of the site and not an article
_SITE_PAGES = re.compile(
    r"about|about-(?:us|me)|account|advertise|agb|archives?|careers?|cart|comments|contact(?:-us)?|cookies?|datenschutz"
    r"|donate|faqs?|feed|followers|following|help|home|impressum|imprint|index\.html?|jobs|legal|membership|news"
    r"|newsletters?|plans|press|pricing|rss|search|share|shop|sitemap|subscribe|subscriptions?|support|team|terms"
    r"|(?:cookie|legal|privacy|terms)(?:[-_](?:policy|notice|statement|settings|and-conditions|of-(?:use|service)))?"
    r"|(?:subscribe|sign-?(?:in|up)|log-?in|register)(?:-.*)?|\d{1,3}|(?:19|20)\d\d",
    re.IGNORECASE,
)
# followed by a name: a list of articles, or a person
_COLLECTION = re.compile(r"topics?|users?|profiles?|people|labels?", re.IGNORECASE)
_NO_ARTICLE = re.compile(
    r"tags?|tagged|category|categories|authors?|search|page|feed|log-?in|sign-?(?:in|up)|oauth|auth|wp-admin"
    r"|wp-login\.php|cdn-cgi",
    re.IGNORECASE,
)
_OTHER_RELATIONS = frozenset({"tag", "author", "category", "prev", "next", "license", "sponsored"})
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json")


def looks_like_sitemap(head: str) -> bool:
    """Whether a text is a sitemap or an index of sitemaps; a plain list of links is one too."""
    if root := root_of(head):
        return root.rpartition(":")[2] in {"urlset", "sitemapindex"}
    lines = [line.strip("\ufeff \t") for line in head.splitlines()]
    lines = [line for line in lines if line]
    whole_lines = (lines[:-1] or lines)[:5]  # the head may end within its last line
    return bool(whole_lines) and all(_LINE.match(line) for line in whole_lines)


def parse_sitemap(text: str, url: str) -> Feed:
    """The links that a sitemap lists, or those of the sitemaps that an index lists, each once, in order. Pure.

    Only links of the sitemap's own host, ``www.`` aside, and of its subdomains count, as a sitemap speaks for its
    site only (sitemaps.org, "Sitemap file location"). Raises CrawlError when it is no sitemap.
    """
    text = text.lstrip("\ufeff \t\r\n")
    if text.startswith(("\x1f\x8b", "\x1f\ufffd")):
        raise CrawlError(
            canonical_link(url),
            "the sitemap came as a gzip file, which is not unpacked; crawl the .xml or a feed of the site instead",
            kind="not text",
        )
    if not looks_like_sitemap(text[:2_000]):
        reason = "no sitemap: neither <urlset> nor <sitemapindex> nor a list of links"
        raise CrawlError(canonical_link(url), reason, kind="not text" if text else "empty")
    entries = _entries_of(text) if text.startswith("<") else _lines_of(text)
    own = _bare_host(url)
    unique: dict[str, FeedItem] = {}
    for entry in islice(entries, 2 * MAX_LINKS):
        link = web_link(entry.link, url)
        host = _bare_host(link)
        if host and (host == own or host.endswith(f".{own}")):
            unique.setdefault(link, entry.model_copy(update={"link": link}))
    return Feed(items=tuple(islice(unique.values(), MAX_LINKS)))


def _entries_of(text: str) -> Iterator[FeedItem]:
    parser = etree.XMLParser(
        encoding="utf-8", recover=True, resolve_entities=False, no_network=True, huge_tree=False
    )
    root = etree.fromstring(mended(text).encode("utf-8", "replace"), parser)
    entries = list(root.iter("{*}url", "{*}sitemap")) if root is not None else []
    if not _ENDS.search(text):
        entries = entries[:-1]  # cut off, perhaps within a link
    for entry in entries:
        found = entry.find("{*}loc")
        if found is not None:
            news = entry.find(f"{_NEWS}news")
            yield FeedItem(
                link="".join(found.itertext()),
                title=_child_text(news, "title"),
                published=iso_utc(_child_text(news, "publication_date")),
            )


def _child_text(news: Any, name: str) -> str:
    return " ".join((news.findtext(_NEWS + name) or "").split()) if news is not None else ""


def _lines_of(text: str) -> Iterator[FeedItem]:
    for line in text.splitlines():
        if _LINE.match(line.strip()):
            yield FeedItem(link=line.strip())


def feed_link_of(page: str, url: str) -> str:
    """The feed that a page announces for its articles, "" if there is none; feeds of comments do not count. Pure."""
    tree = tree_of(page)
    if tree is None:
        return ""
    base = _base_of(tree, url)
    for element in tree.iter("link"):
        rel = (element.get("rel") or "").lower().split()
        kind = (element.get("type") or "").partition(";")[0].strip().lower()
        link = web_link(element.get("href") or "", base)
        named = f"{element.get('title') or ''} {link}".lower()
        if "alternate" in rel and kind in _FEED_TYPES and link and "comment" not in named:
            return link
    return ""


def links_of_listing(page: str, url: str) -> Feed:
    """The articles that an index page links to (a home page, a blog's front, an archive), in the page's order. Pure.

    Only links of the same host. What is an article is judged by where the link stands, how it reads and how its
    path is made; navigation, tags, people, legal pages and logins are left out.
    """
    tree = tree_of(page)
    if tree is None:
        return Feed()
    base, found = _base_of(tree, url), dict[str, _Candidate]()
    for anchor in islice(tree.iter("a"), _MAX_ANCHORS):
        link = _article_link(web_link(anchor.get("href") or "", base), url)
        points = _points_of_place(anchor) if link else None
        if points is not None:
            text = " ".join(anchor.text_content().split())
            candidate = _Candidate(text, points + _points_of_text(text) + _points_of_path(link))
            found[link] = candidate.with_other(found.get(link))
    siblings = Counter(_folder(link) for link in found)
    items = [
        FeedItem(link=link, title=candidate.text)
        for link, candidate in found.items()
        if candidate.points + (siblings[_folder(link)] >= _SIBLINGS) >= _ENOUGH
        and not ("?" in link and link.partition("?")[0] in found)  # a part of that page
    ]
    return Feed(title=" ".join((tree.findtext(".//title") or "").split()), items=tuple(items))


@dataclass(frozen=True)
class _Candidate:
    """A link of a page: its text, and how much speaks for an article."""

    text: str
    points: int

    def with_other(self, other: "_Candidate | None") -> "_Candidate":
        """The same link met again, as picture, headline or "read more"."""
        if other is None:
            return self
        return _Candidate(max(other.text, self.text, key=len), max(other.points, self.points))


def _points_of_place(anchor: Any) -> int | None:
    """None where no article is announced; more in a heading than elsewhere in an ``<article>``."""
    relations = set((anchor.get("rel") or "").lower().split())
    if relations & _OTHER_RELATIONS:
        return None
    ancestors = list(islice(anchor.iterancestors(), _ANCESTORS))
    if any(_is_outside(element) for element in ancestors):
        return None
    names = {element.tag for element in ancestors}
    if "header" in names and "article" not in names:
        return None
    headline = names & _HEADINGS or any(True for _ in anchor.iter(*_HEADINGS))
    return 2 if headline or "bookmark" in relations else int("article" in names)


def _is_outside(element: Any) -> bool:
    if element.tag in {"body", "main"}:
        return False  # their classes speak of the whole page, such as "with sidebar"
    classes = (element.get("class") or "").lower().split()
    if element.tag in _OUTSIDE or element.get("role") in _OUTSIDE_ROLES:
        return True
    return any(_OUTSIDE_CLASSES.fullmatch(one) for one in classes)


def _points_of_text(text: str) -> int:
    words = len(_WORDS.findall(text))
    if words >= 4 or len(text) >= 25:
        return 2
    return int(words >= 2 or (len(text) >= 8 and not text.isascii()))


def _points_of_path(link: str) -> int:
    path = urlsplit(link).path.rstrip("/")
    slug = len(_WORDS.findall(path.rpartition("/")[2].partition(".")[0]))
    dated = 3 if _DATE.search(path) else 0
    return dated + (2 if slug >= 4 else int(slug >= 2)) + int(path.count("/") >= 2)


def _article_link(link: str, url: str) -> str:
    """The link without tracking, or "" if its address tells that it is no article of this host."""
    if not link or _bare_host(link) != _bare_host(url):
        return ""
    parts = urlsplit(link)
    segments = [segment.lower() for segment in parts.path.split("/") if segment]
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in query if not _TRACKING.fullmatch(name)]
    if len(kept) != len(query):
        link = urlunsplit(parts._replace(query=urlencode(kept)))
    if link == canonical_link(url):
        return ""
    if not segments:
        return link if "p" in dict(kept) else ""  # WordPress: /?p=12
    person = len(segments) == 1 and segments[0].startswith(("@", "~"))
    if person or _NO_PAGE.search(parts.path) or _SITE_PAGES.fullmatch(segments[-1]):
        return ""
    collected = any(_COLLECTION.fullmatch(segment) for segment in segments[-2:])
    return "" if collected or any(_NO_ARTICLE.fullmatch(one) for one in segments) else link


def _folder(link: str) -> str:
    """What links of one list have in common; none of its own for a path of one part."""
    folder = urlsplit(link).path.rstrip("/").rpartition("/")[0]
    return folder or link


def _base_of(tree: Any, url: str) -> str:
    named = tree.find(".//base[@href]")
    return (web_link(named.get("href"), url) if named is not None else "") or url


def _bare_host(link: str) -> str:
    return (urlsplit(link).hostname or "").removeprefix("www.")
