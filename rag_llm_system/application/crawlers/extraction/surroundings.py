"""Reads what the elements around a block say of themselves in their names."""

import re

from rag_llm_system.application.crawlers.extraction.blocks import Region

# What elements around a block say of themselves (tag, class, id, role, itemprop, test id). The first that fits a
# place counts, so that "comment-author" is a comment and an author, and "navigation" only navigation.
SAID = {
    "comments": "comment|disqus|respond|repl(?:y|ies)",
    "side": "side-?bar|aside|rail|widget|secondary|complementary",
    "navigation": "nav|menu|breadcrumb|pagination|pager|toc|table-?of-?contents|skip",
    "foot": "foot|bottom|copyright|colophon|legal",
    "head": "masthead|header|hero|banner|top-?bar",
    "sharing": "shar(?:e|ing)|social|follow|vote|action|toolbar|button|btn|reaction",
    "related": "relat|recommend|suggest|more-|read-?more|also|popular|trending|latest|promo|teaser|upsell|carousel"
    "|slider|next-|prev",
    "advert": r"\bads?\b|advert|sponsor|outbrain|taboola|affiliate",
    "notice": "newsletter|subscri|sign-?up|sign-?in|log-?in|register|modal|popup|overlay|cookie|consent|gdpr|paywall"
    "|notice|alert",
    "about": r"byline|author|\bbio\b|meta|date|time|tags?\b|categ|avatar|user|profile|badge|signature"
    "|stat",
    "caption": "caption|credit",
    "figure": "figure|media|gallery|image|photo",
    "unseen": "hidden|invisible|sr-only|screen-?reader|visually|offscreen|print-only|display: ?none|noscript",
    "card": "card|tile|grid|item|list",
    "goods": "product|price|shop|cart|review|rating",
    "message": "message|topic|thread|question|answer",
    "detail": "descr|detail|feature|spec|summary|overview|faq|accordion|tab",
    "manual": "docs?\\b|document|guide|section|chapter|wiki|mw-",
    "main": "main|primary",
    "article": "article|post|entry|story",
    "body": "content|body|text|prose|markdown|rich|wysiwyg",
    "form": "form|search|filter|sort",
}
_SAYS = re.compile("|".join(f"(?P<{name}>{words})" for name, words in SAID.items()))
_SAID_IN = ("class", "id", "role", "itemprop", "style", "data-testid", "aria-label")
_MOST = 4  # counts of one word around a block say nothing more beyond
_SAID_CHARS = 500  # of all that one element says; inline styles can hold images


class Surroundings:
    """Counts what the elements around a block say of themselves."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[int, ...]] = {}
        self._rows: dict[Region | None, tuple[int, ...]] = {None: (0,) * len(SAID)}

    def of(self, region: Region) -> tuple[int, ...]:
        missing = []
        at: Region | None = region
        while at not in self._rows:
            missing.append(at)
            at = at.parent if at is not None else None
        row = self._rows[at]
        for each in reversed(missing):
            row = self._rows[each] = _sum(row, self._says(each))
        return row

    def _says(self, region: Region | None) -> tuple[int, ...]:
        if region is None:
            return self._rows[None]
        get = region.element.get
        said = " ".join([region.tag, *(get(name) or "" for name in _SAID_IN)])[:_SAID_CHARS]
        if get("aria-hidden") == "true":
            said += " hidden"
        if said not in self._said:
            found = {match.lastgroup for match in _SAYS.finditer(said.lower())}
            self._said[said] = tuple(int(name in found) for name in SAID)
        return self._said[said]


def _sum(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(min(_MOST, a + b) for a, b in zip(one, other, strict=True)) if any(other) else one
