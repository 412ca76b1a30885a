"""Labelled blocks: what the model is fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import sha256
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from rag_llm_system.application.crawlers.extraction.article import read_page
from rag_llm_system.application.crawlers.extraction.traits import Numbers
from tools.bench_extraction.pages import LabelledPage, words_of

_MATCHED_WORDS = 3  # shorter runs match by chance
_IN_CONTENT = 0.5  # the share of a block's words
# A page counts by the share of its text in each block, so that long pages count as much as short ones; of pages
# with hardly any text as if there were this much.
_LEAST_PAGE_CHARS = 300
_LEAST_BLOCK_CHARS = 5


@dataclass(frozen=True)
class Sample:
    """The blocks of one page: traits, 1.0 for those of the content, and how much each counts."""

    page: LabelledPage
    traits: Numbers
    labels: NDArray[np.float64]
    weights: NDArray[np.float64]


def samples_of(pages: Sequence[LabelledPage]) -> list[Sample]:
    return [sample for page in pages if (sample := _sample(page)) is not None]


def _sample(page: LabelledPage) -> Sample | None:
    reading = read_page(page.html(), page.url)
    if reading is None or not reading.blocks:
        return None
    texts = [block.text for block in reading.blocks]
    chars = np.array([max(_LEAST_BLOCK_CHARS, len(text)) for text in texts], dtype=np.float64)
    return Sample(
        page,
        reading.traits,
        (_found(texts, page.content) > _IN_CONTENT).astype(np.float64),
        chars / max(_LEAST_PAGE_CHARS, chars.sum()),
    )


def _found(texts: Sequence[str], content: str) -> NDArray[np.float64]:
    """The share of each text's words that stand, in order, in the content."""
    words = [words_of(text) for text in texts]
    owners = [at for at, each in enumerate(words) for _ in each]
    matcher = SequenceMatcher(None, words_of(content), [*chain(*words)], autojunk=False)
    found = np.zeros(len(texts))
    for run in matcher.get_matching_blocks():
        if run.size >= _MATCHED_WORDS:
            np.add.at(found, owners[run.b : run.b + run.size], 1)
    return np.asarray(found / [max(1, len(each)) for each in words])


def half_of(page: LabelledPage) -> int:
    """0 or 1, by a hash of the page's id: settings are chosen on half 0."""
    return int(sha256(page.id.encode()).hexdigest(), 16) % 2
