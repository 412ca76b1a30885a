"""Chooses the blocks of a page's content by their chances."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from rag_llm_system.application.crawlers.extraction.blocks import Block

# Measured on labelled pages, each half with a model of the other: F1 differs by less than .002 from .35 to .45.
_LIKELY = 0.4
_POSSIBLE = 0.2  # enough for one or two blocks between likely ones
_MAX_GAP = 2
_NOT_EXCLUDED = (
    0.1  # enough for code between likely blocks, which looks like nothing else on a page
)
# Where less of what the other extractor took is likely, the model is at a loss and that extractor is followed.
_FOLLOWED = 0.6
_AGREED = 0.5
_MUCH_CHARS = 1_000
_REPEATED_CHARS = 60  # of texts that long, one copy; shorter ones may well be meant


class Candidate(NamedTuple):
    """A block, its chance to be content, and the share of it that the other extractor took."""

    block: Block
    chance: float
    vote: float


def chosen(candidates: Sequence[Candidate]) -> list[Block]:
    """In the page's order: the likely blocks, what stands between them unless it is unlikely, and no text twice.

    Captions of pictures are left out: of 372 in labelled articles, 7 were content.
    """
    texts = [each for each in candidates if each.block.kind != "caption"]
    is_taken = _is_followed if _misses_much(texts) else _is_likely
    taken = [at for at, each in enumerate(texts) if is_taken(each)]
    for before, after in pairwise(tuple(taken)):
        gap = range(before + 1, after)
        if len(gap) <= _MAX_GAP and all(texts[at].chance > _POSSIBLE for at in gap):
            taken.extend(gap)
        else:
            taken.extend(at for at in gap if _is_possible_code(texts[at]))
    return _once([texts[at].block for at in sorted(taken)])


def _misses_much(texts: Sequence[Candidate]) -> bool:
    voted = [each for each in texts if each.vote > _AGREED]
    chars = sum(len(each.block.text) for each in voted)
    likely = sum(len(each.block.text) for each in voted if _is_likely(each))
    return chars > _MUCH_CHARS and likely < _FOLLOWED * chars


def _is_likely(each: Candidate) -> bool:
    return each.chance > _LIKELY


def _is_followed(each: Candidate) -> bool:
    return _is_likely(each) or (each.vote > _AGREED and each.chance > _NOT_EXCLUDED)


def _is_possible_code(each: Candidate) -> bool:
    return each.block.kind == "code" and each.chance > _NOT_EXCLUDED


def _once(blocks: Sequence[Block]) -> list[Block]:
    seen: set[str] = set()
    kept = []
    for block in blocks:
        if block.kind == "code" or len(block.text) <= _REPEATED_CHARS or block.text not in seen:
            kept.append(block)
        seen.add(block.text)
    return kept
