"""When two texts of a training set count as the same, and which texts of a row are compared."""

import hashlib
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from rag_llm_system.domain.datasets import Row, turns_of

MIN_ANSWER_WORDS, MIN_ANSWER_CHARS = 4, 30
"""Shorter answers are labels ("yes", "positive"): rows that share one have nothing in common."""

_CONTEXT = re.compile(
    r"<(?:sources?|contexts?|documents?|passages?|extracts?)\b[^>]*>"
    r"|^[ \t#*]*(?:library|sources?|contexts?|documents?|passages?|extracts?|facts|background)[ *]*:",
    re.IGNORECASE | re.MULTILINE,
)
_HALF_PAIR = re.compile("[\ud800-\udfff]")


class Compared(NamedTuple):
    """A text of a row that no row of the other side may have."""

    part: Literal["question", "answer"]
    text: str


def normalised(text: str) -> str:
    """The words of a text, case and punctuation aside; a text without words is itself."""
    return " ".join(re.findall(r"\w+", text.casefold())) or text.strip()


def has_context(row: Row) -> bool:
    """Does the first question bring what is to be answered from, marked as such (``Library:``, ``<sources>``)?"""
    return _CONTEXT.search(turns_of(row)[0][0]) is not None


def compared_texts(row: Row, *, answers: bool = True) -> Iterator[Compared]:
    """What tells a row from others: each turn's question and answer; of a preference, the chosen answer.

    A row with a context is told from others by its questions alone, each with that context before it: how a
    question is put, and what is said when the context holds no answer, are the same in many such rows. An
    answer that is a label is left out; with ``answers=False`` all are.
    """
    turns = turns_of(row)
    if has_context(row):
        context = turns[0][0]
        yield Compared("question", context)
        for question, _ in turns[1:]:
            yield Compared("question", f"{context}\n{question}")
        return
    for question, answer in turns:
        yield Compared("question", question)
        if answers and not is_label(answer):
            yield Compared("answer", answer)


def is_label(answer: str) -> bool:
    """An answer of a few words, such as the name of a class; some scripts put no spaces between words."""
    return len(answer) < MIN_ANSWER_CHARS and len(answer.split()) < MIN_ANSWER_WORDS


def digest(*texts: Compared) -> bytes:
    """The same for texts that are the same when normalised."""
    found = hashlib.blake2b(digest_size=16)
    for compared in texts:
        found.update(f"{compared.part}:{normalised(compared.text)}\0".encode())
    return found.digest()


def has_half_pair(text: str) -> bool:
    """Half of a surrogate pair, which JSON can hold and UTF-8 cannot."""
    return _HALF_PAIR.search(text) is not None
