"""Labelled pages for article extraction, and how a text is scored against what a page holds."""

import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from rag_llm_system.domain.errors import DataError, MissingFile

TRUTH_FILE = "ground-truth.json.gz"
_SHINGLE = 4  # words, as in scrapinghub/article-extraction-benchmark
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class LabelledPage:
    """A page and its content as a person marked it."""

    id: str
    url: str
    kind: str
    content: str
    folder: Path

    def html(self) -> str:
        path = self.folder / "html" / f"{self.id}.html.gz"
        try:
            with gzip.open(path) as packed:
                return packed.read().decode("utf-8", "replace")
        except FileNotFoundError as error:
            raise MissingFile(f"{path} is not there, but {TRUTH_FILE} names it") from error
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"{path} is not a whole gzip file; copy it again") from error


def labelled_pages(folder: Path) -> list[LabelledPage]:
    """All pages of a folder that holds ``ground-truth.json.gz`` and ``html/ID.html.gz``, by id.

    The truth of a page is its ``main_content`` or ``articleBody``; where it names no ``page_type``, it is an article.
    """
    path = folder / TRUTH_FILE
    try:
        with gzip.open(path) as packed:
            truths = json.load(packed)
    except FileNotFoundError as error:
        raise MissingFile(
            f"{path} is not there; name a folder with {TRUTH_FILE} and html/ID.html.gz"
        ) from error
    except (EOFError, ValueError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is not JSON in gzip") from error
    if not truths:
        raise DataError(f"{path} names no page")
    return [_page(folder, key, truth) for key, truth in sorted(truths.items())]


def _page(folder: Path, key: str, truth: Mapping[str, Any]) -> LabelledPage:
    content = truth.get("main_content") or truth.get("articleBody") or ""
    return LabelledPage(
        key, truth.get("url") or "", truth.get("page_type") or "article", content, folder
    )


def words_of(text: str) -> list[str]:
    return _WORD.findall(text)


@dataclass(frozen=True)
class Score:
    """How much of a text is right, and how much of the truth it has, from 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def score(text: str, truth: str) -> Score:
    """By multisets of four words in a row; nothing found where nothing is counts as right."""
    found, wanted = _shingles(text), _shingles(truth)
    if not wanted:
        return Score(0.0 if found else 1.0, 1.0)
    right = (found & wanted).total()
    return Score(right / found.total() if found else 0.0, right / wanted.total())


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = words_of(text)
    count = max(1, len(words) - _SHINGLE + 1) if words else 0
    return Counter(tuple(words[at : at + _SHINGLE]) for at in range(count))


def mean_score(scores: Iterable[Score]) -> Score:
    """Means of precision and recall over pages; its F1 is the benchmark's figure."""
    every = list(scores)
    return Score(fmean(each.precision for each in every), fmean(each.recall for each in every))
