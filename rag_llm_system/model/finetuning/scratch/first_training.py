"""Rows of the first training: the conversations of a training set with their rare words replaced by others.

Within a row a word is always replaced by the same word, in the question, the context and the answer. What an answer
takes from its context can then only be copied, because no title, name or year returns in another row; what all rows
share, the wording of questions and answers, stays. A training set can be gone through many times this way without
its contents being learned by heart.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.errors import ConfigurationError, DataError

COMMON_SHARE = 0.01
"""A word in at least this share of the rows belongs to the wording and stays."""

INVENTED_SHARE = 0.5
"""Of the replacements this share is put together from pieces of the vocabulary; the rest are other rare words."""

MARKED_SHARE = 0.15
"""Of the replacements this share is two words or ends in a mark, as titles do; without them marks were copied worst."""

_PIECES = (1, 2, 2, 3)
_JOINTS = (": ", ", ", "-", " & ", " ", "! ")
_ENDS = ("!", "?", ".")
_WORD = re.compile(r"[^\W\d_]+(?:'[a-z]+)?|\d+")
_FIRST_YEAR, _LAST_YEAR = 1900, 2099


class WordSubstitution:
    """What the rows of a training set share, and what other words may stand for the rest."""

    def __init__(self, rows: Sequence[TrainingRow], pieces: Sequence[str]) -> None:
        """``pieces`` are letters or syllables, such as the vocabulary of a tokenizer.

        Raises DataError when there are no rows, ConfigurationError when there are no pieces.
        """
        if not rows:
            raise DataError("no rows to replace words in; give a training set that has some")
        if not pieces:
            raise ConfigurationError("no pieces to make words of; give the tokenizer more tokens")
        shares = Counter(word for row in rows for word in _words(row))
        least = COMMON_SHARE * len(rows)
        self._common = frozenset(word for word, count in shares.items() if count >= least)
        self._rare = tuple(
            sorted(word for word in shares if word not in self._common and word.isalpha())
        )
        self._pieces = tuple(pieces)

    def row(self, row: TrainingRow, seed: str) -> TrainingRow:
        """The row with each rare word replaced, the same word by the same word; capitals and years stay such."""
        rng = random.Random(seed)  # noqa: S311 - words, nothing secret
        replaced: dict[str, str] = {}

        def other(match: re.Match[str]) -> str:
            word = match[0].lower()
            if word in self._common or (word.isdigit() and len(word) != 4):
                return match[0]
            if word not in replaced:
                replaced[word] = self._other(word, rng)
            new = replaced[word]
            return new.capitalize() if match[0][0].isupper() else new

        messages = [
            Message(role=message.role, content=_WORD.sub(other, message.content))
            for message in row.messages
        ]
        return TrainingRow(messages=messages, document_id=row.document_id)

    def _other(self, word: str, rng: random.Random) -> str:
        if word.isdigit():
            return str(rng.randint(_FIRST_YEAR, _LAST_YEAR))
        text = self._word(rng)
        if rng.random() >= MARKED_SHARE:
            return text
        return text + rng.choice([*_ENDS, *(f"{joint}{self._word(rng)}" for joint in _JOINTS)])

    def _word(self, rng: random.Random) -> str:
        if self._rare and rng.random() >= INVENTED_SHARE:
            return rng.choice(self._rare)
        return "".join(rng.choice(self._pieces) for _ in range(rng.choice(_PIECES)))


def first_rows(
    rows: Sequence[TrainingRow], tokenizer: Any, count: int, seed: int
) -> Iterator[TrainingRow]:
    """``count`` rows for the first training: the rows again and again, in another order and with other words.

    The same rows, tokenizer, count and seed give the same rows.
    """
    substitution = WordSubstitution(rows, word_pieces(tokenizer))
    order = list(range(len(rows)))
    rng = random.Random(f"{seed}:order")  # noqa: S311 - an order, nothing secret
    for number in range(count):
        if number % len(rows) == 0:
            rng.shuffle(order)
        yield substitution.row(rows[order[number % len(rows)]], f"{seed}:{number}")


def word_pieces(tokenizer: Any) -> tuple[str, ...]:
    """The pieces of the vocabulary that are letters only, in lower case."""
    texts = (tokenizer.decode([number]) for number in range(len(tokenizer)))
    return tuple(sorted({text.lower() for text in texts if text.isascii() and text.isalpha()}))


def _words(row: TrainingRow) -> set[str]:
    return {word.lower() for message in row.messages for word in _WORD.findall(message.content)}
