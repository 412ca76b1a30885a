"""Describes the blocks of a page in numbers: their shape, where they stand, what stands around them."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag_llm_system.application.crawlers.extraction.blocks import Block, Region

Numbers = NDArray[np.float32]

# What elements around a block say of themselves (tag, class, id, role, itemprop, test id). The first that fits a
# place counts, so that "comment-author" is a comment and an author, and "navigation" only navigation.
_WORDS = {
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
    "about": r"byline|author|\bbio\b|meta|date|time|tags?\b|categor|avatar|user|profile|badge|signature|stat",
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
_SAYS = re.compile("|".join(f"(?P<{name}>{words})" for name, words in _WORDS.items()))
_SAID_IN = ("class", "id", "role", "itemprop", "style", "data-testid", "aria-label")
_MOST = 4  # counts of one word around a block say nothing more beyond

_WORD = re.compile(r"\w+")
_PUNCTUATION = re.compile("[.!?,;:\u3002\uff0c\u3001\uff01\uff1f\uff1b\uff1a]")  # also Chinese and Japanese
_ENDS = re.compile("[.!?:\u3002\uff01\uff1f\u2026\"\u201d')]\\s*$")
_PROSE_CHARS = 80  # a paragraph, rather than a label
_LINKED = 0.3  # the share of links that prose does not pass
_LABEL_CHARS = 30
_AGREED = 0.7  # the vote that places the article on the page
_TRIPLE = 3
_TITLE_CHARS = 8  # shorter texts are in a title by chance
_SUMMARY_CHARS = 20
_MARKED_UP = 2
_SAID_CHARS = 500  # of all that one element says; inline styles can hold images

_URL_SAYS = (
    re.compile(r"forum|community|thread|topic|/t/|question|discuss|viewtopic|showthread|boards?\b"),
    re.compile(r"docs?\b|wiki|manual|reference|/api|guide|tutorial|learn|developer"),
    re.compile(r"product|/shop|/item|/p/|store|collection|categor|/cat/"),
)

NAMES = (
    *("chars", "links", "punctuation", "sentence", "level", "code", "table", "depth", "upper", "digits"),
    *("place", "after_title", "before_title", "is_title", "in_span", "after_start", "before_end"),
    *("vote", "alike", "alike_chars", "alike_share", "repeated", "says_title", "says_summary"),
    *(f"in_{name}" for name in _WORDS),
    *(f"{where}_{name}" for where in ("before", "next") for name in ("vote", "chars", "links", "punctuation", "level", "sentence")),
    *("page_chars", "page_blocks", "page_vote", "page_links", "page_prose", "page_code", "page_article"),
    *("url_forum", "url_manual", "url_goods", "url_home"),
)
"""What the columns of ``traits_of`` say. "Vote" is the share of a block that another extractor took."""


@dataclass(frozen=True)
class Known:
    """What is known of a page beside its blocks; ``opinion`` is its text as another extractor sees it."""

    url: str = ""
    opinion: str = ""
    titles: Sequence[str] = ()
    summaries: Sequence[str] = ()


def traits_of(blocks: Sequence[Block], known: Known) -> Numbers:
    """One row for each block, of as many numbers as there are ``NAMES``."""
    if not blocks:
        return np.empty((0, len(NAMES)), dtype=np.float32)
    votes = votes_of(blocks, known.opinion)
    shapes = [_shape(block) for block in blocks]
    places, alike = _places(blocks, votes), _alike(blocks)
    said = _said_elsewhere(blocks, known)
    copies = Counter(block.text for block in blocks)
    page = _page(blocks, shapes, votes, known.url)
    around = _Around()
    rows = [
        (
            *shapes[at].row,
            *places[at],
            votes[at],
            *alike[at],
            copies[block.text],
            *said[at],
            *around.of(block.region),
            *_neighbour(shapes, votes, at - 1),
            *_neighbour(shapes, votes, at + 1),
            *page,
        )
        for at, block in enumerate(blocks)
    ]
    return np.asarray(rows, dtype=np.float32)


@dataclass(slots=True)
class _Shape:
    """What a block looks like by itself."""

    chars: int
    links: float
    punctuation: float
    sentence: float
    level: int
    row: tuple[float, ...]


def _shape(block: Block) -> _Shape:
    text = block.text
    chars = len(text)
    words = len(_WORD.findall(text)) or 1
    links = min(1.0, block.link_chars / chars)
    punctuation = len(_PUNCTUATION.findall(text)) / words
    sentence = float(_ENDS.search(text) is not None)
    upper = sum(map(str.isupper, text)) / chars
    digits = sum(map(str.isdigit, text)) / chars
    row = (
        *(math.log1p(chars), links, punctuation, sentence, block.level),
        *(float(block.kind == "code"), float(block.kind == "table"), len(block.within)),
        *(upper, digits),
    )
    return _Shape(chars, links, punctuation, sentence, block.level, row)


def votes_of(blocks: Sequence[Block], opinion: str) -> list[float]:
    """The share of each block's word triples that the opinion has; of fewer words, whether it has that line."""
    words = _WORD.findall(opinion)
    triples = set(zip(words, words[1:], words[2:], strict=False))
    lines = {" ".join(_WORD.findall(line)) for line in opinion.split("\n")}
    votes = []
    for block in blocks:
        own = _WORD.findall(block.text)
        if len(own) < _TRIPLE:
            votes.append(float(" ".join(own) in lines))
        else:
            found = [triple in triples for triple in zip(own, own[1:], own[2:], strict=False)]
            votes.append(sum(found) / len(found))
    return votes


def _places(blocks: Sequence[Block], votes: Sequence[float]) -> list[tuple[float, ...]]:
    """Where each block stands on the page, to its first main heading, and to what the vote spans."""
    count = len(blocks)
    title = next((at for at, block in enumerate(blocks) if block.level == 1), -1)
    voted = [
        at
        for at, vote in enumerate(votes)
        if vote > _AGREED and len(blocks[at].text) > _LABEL_CHARS
    ]
    first, last = (voted[0], voted[-1]) if voted else (0, count - 1)
    return [
        (
            at / count,
            (at - title) / count if title >= 0 else 0.0,
            float(at < title) if title >= 0 else 0.5,
            float(at == title),
            float(first <= at <= last),
            (at - first) / count,
            (last - at) / count,
        )
        for at in range(count)
    ]


def _alike(blocks: Sequence[Block]) -> list[tuple[float, ...]]:
    """How many blocks have the same markup, how long they are and how much of the page they hold."""
    kinds = [_markup(block.region) for block in blocks]
    count = Counter(kinds)
    chars: Counter[tuple[str | None, ...]] = Counter()
    for kind, block in zip(kinds, blocks, strict=True):
        chars[kind] += len(block.text)
    total = sum(chars.values())
    return [
        (math.log1p(count[kind]), math.log1p(chars[kind] / count[kind]), chars[kind] / total)
        for kind in kinds
    ]


def _said_elsewhere(blocks: Sequence[Block], known: Known) -> list[tuple[float, float]]:
    """Is a block part of what the page calls its title, or its summary?"""
    titles = [plain_words(title) for title in known.titles]
    summaries = [plain_words(summary) for summary in known.summaries]
    longest = max(map(len, (*titles, *summaries)), default=0)
    said = []
    for block in blocks:
        if len(block.text) > _MARKED_UP * longest:  # cheaper than to look
            said.append((0.0, 0.0))
            continue
        words = plain_words(block.text)
        title = len(words) > _TITLE_CHARS and any(words in each for each in titles)
        summary = len(words) > _SUMMARY_CHARS and any(
            words in each or (len(each) > _SUMMARY_CHARS and each in words) for each in summaries
        )
        said.append((float(title), float(summary)))
    return said


def plain_words(text: str) -> str:
    """The words alone, without case, to compare texts."""
    return " ".join(_WORD.findall(text)).casefold()


def _markup(region: Region) -> tuple[str | None, ...]:
    above = region.parent
    if above is None:
        return region.tag, region.element.get("class")
    return region.tag, region.element.get("class"), above.tag, above.element.get("class")


class _Around:
    """Counts what the elements around a block say of themselves."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[int, ...]] = {}
        self._rows: dict[Region | None, tuple[int, ...]] = {None: (0,) * len(_WORDS)}

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
            self._said[said] = tuple(int(name in found) for name in _WORDS)
        return self._said[said]


def _sum(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(min(_MOST, a + b) for a, b in zip(one, other, strict=True)) if any(other) else one


def _neighbour(shapes: Sequence[_Shape], votes: Sequence[float], at: int) -> tuple[float, ...]:
    if not 0 <= at < len(shapes):
        return (-1.0,) * 6
    shape = shapes[at]
    chars = math.log1p(shape.chars)
    return votes[at], chars, shape.links, shape.punctuation, shape.level, shape.sentence


def _page(
    blocks: Sequence[Block], shapes: Sequence[_Shape], votes: Sequence[float], url: str
) -> tuple[float, ...]:
    chars = sum(shape.chars for shape in shapes)
    prose = sum(
        shape.chars
        for block, shape in zip(blocks, shapes, strict=True)
        if block.kind == "paragraph" and shape.chars > _PROSE_CHARS and shape.links < _LINKED
    )
    address = url.lower()
    path = address.partition("://")[2].partition("?")[0].strip("/")
    return (
        math.log1p(chars),
        math.log1p(len(blocks)),
        sum(vote * shape.chars for vote, shape in zip(votes, shapes, strict=True)) / chars,
        sum(shape.links * shape.chars for shape in shapes) / chars,
        prose / chars,
        math.log1p(sum(block.kind == "code" for block in blocks)),
        float(any(_is_in_article(block.region) for block in blocks)),
        *(float(says.search(address) is not None) for says in _URL_SAYS),
        float("/" not in path),
    )


def _is_in_article(region: Region | None) -> bool:
    while region is not None:
        if region.tag == "article":
            return True
        region = region.parent
    return False
