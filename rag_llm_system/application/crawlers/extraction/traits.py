"""Describes the blocks of a page in numbers: their shape, where they stand, what stands around them."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag_llm_system.application.crawlers.extraction.blocks import Block, Region
from rag_llm_system.application.crawlers.extraction.surroundings import SAID, Surroundings

Numbers = NDArray[np.float32]

_WORD = re.compile(r"\w+")
_PUNCTUATION = re.compile("[.!?,;:\u3002\uff0c\u3001\uff01\uff1f\uff1b\uff1a]")
_ENDS = re.compile("[.!?:\u3002\uff01\uff1f\u2026\"\u201d')]\\s*$")
_PROSE_CHARS = 80  # a paragraph, rather than a label
_LINKED = 0.3  # the share of links that prose does not pass
_LABEL_CHARS = 30
_AGREED = 0.7  # the vote that places the article on the page
_TRIPLE = 3
_TITLE_CHARS = 8  # shorter texts are in a title by chance
_SUMMARY_CHARS = 20
_MARKED_UP = 2

_URL_SAYS = (
    re.compile(r"forum|community|thread|topic|/t/|question|discuss|viewtopic|showthread|boards?\b"),
    re.compile(r"docs?\b|wiki|manual|reference|/api|guide|tutorial|learn|developer"),
    re.compile(r"product|/shop|/item|/p/|store|collection|categ|/cat/"),
)

NAMES = (
    "chars", "links", "punctuation", "sentence", "level", "code", "table", "depth", "upper", "digits",
    "place", "after_title", "before_title", "is_title", "in_span", "after_start", "before_end",
    "vote", "comment", "alike", "alike_chars", "alike_share", "repeated", "says_title", "says_summary",
    *(f"in_{name}" for name in SAID),
    "before_vote", "before_chars", "before_links", "before_punctuation", "before_level", "before_sentence",
    "next_vote", "next_chars", "next_links", "next_punctuation", "next_level", "next_sentence",
    "page_chars", "page_blocks", "page_vote", "page_links", "page_prose", "page_code", "page_article",
    "url_forum", "url_manual", "url_goods", "url_home",
)  # fmt: skip
"""What the columns of ``traits_of`` say. "Vote" is the share of a block that the other extractor took."""
VOTE = NAMES.index("vote")


@dataclass(frozen=True)
class Known:
    """What is known of a page beside its blocks.

    ``opinion`` is its text as another extractor sees it, ``comments`` what that takes for its readers' comments.
    """

    url: str = ""
    opinion: str = ""
    comments: str = ""
    titles: Sequence[str] = ()
    summaries: Sequence[str] = ()


def traits_of(blocks: Sequence[Block], known: Known) -> Numbers:
    """One row for each block, of as many numbers as there are ``NAMES``."""
    if not blocks:
        return np.empty((0, len(NAMES)), dtype=np.float32)
    votes, comments = votes_of(blocks, known.opinion), votes_of(blocks, known.comments)
    shapes = [_shape(block) for block in blocks]
    places, alike = _places(blocks, votes), _alike(blocks)
    said = _said_elsewhere(blocks, known)
    copies = Counter(block.text for block in blocks)
    page = _page(blocks, shapes, votes, known.url)
    around = Surroundings()
    rows = [
        (
            *shapes[at].row,
            *places[at],
            votes[at],
            comments[at],
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
    if not opinion:
        return [0.0] * len(blocks)
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
        float(any(block.region.is_in("article") for block in blocks)),
        *(float(says.search(address) is not None) for says in _URL_SAYS),
        float("/" not in path),
    )
