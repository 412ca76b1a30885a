"""A request as words, and what has been made of each of them so far."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from rag_llm_system.application.movies import request_words as words
from rag_llm_system.application.rag.self_query.text import Token, tokens_of
from rag_llm_system.application.rag.self_query.words import word_set

_DECADE_OF = re.compile(r"(?<=\d0)['’]s\b")  # noqa: RUF001 - typographic apostrophes
_QUOTED = re.compile(
    r"[\"“«„](?P<double>[^\"“”«»„]+)[\"”»]"
    r"|(?<!\w)['‘](?P<single>[^'‘]+?)['’](?!\w)"  # noqa: RUF001
    r"|(?<!\w)(?:\*\*?|_)(?P<marked>[^*_]+)(?:\*\*?|_)(?!\w)"
)
_ABBREVIATIONS = word_set("dr mr mrs ms jr sr st prof vs vol no inc lt col gen sgt capt")
_ENDS_SENTENCE = frozenset(".?!\n")
_CONNECTORS = word_set("of the in a to for on at & from with")


_ASKING = tuple(tuple(phrase.split()) for phrase in words.ASKING)


class Sentence:
    """``gone`` are words that have been understood, ``kept`` those that mean nothing but themselves."""

    def __init__(self, text: str) -> None:
        self.text = _DECADE_OF.sub("s", text)
        self.tokens = _with_full_stops(tokens_of(self.text))
        self.keys = [token.key for token in self.tokens]
        self.gone: set[int] = set()
        self.kept: set[int] = set()
        self._quoted = self._find_quoted()

    def __len__(self) -> int:
        return len(self.tokens)

    def key(self, position: int) -> str:
        """ "" in front of the first word and behind the last one."""
        return self.keys[position] if 0 <= position < len(self.keys) else ""

    def ends_phrase(self, position: int) -> bool:
        """Whether a mark such as a comma stands behind this word, or nothing at all."""
        return position >= len(self.tokens) - 1 or self.tokens[position].ends_phrase

    def begins_phrase(self, position: int) -> bool:
        return position == 0 or self.tokens[position - 1].ends_phrase

    def begins_sentence(self, position: int) -> bool:
        """There a capital says nothing."""
        before = self.tokens[position - 1] if position else None
        return before is None or (before.ends_phrase and not _ENDS_SENTENCE.isdisjoint(before.gap))

    def comma_behind(self, position: int) -> bool:
        return "," in self.tokens[position].gap

    def is_free(self, position: int) -> bool:
        return position not in self.gone and position not in self.kept

    def written(self, start: int, end: int) -> str:
        """As it stands, possessive endings of the last word aside."""
        last = self.tokens[end - 1]
        stop = last.start + len(re.sub(r"['’]s?$", "", self.text[last.start : last.end]))  # noqa: RUF001
        return self.text[self.tokens[start].start : stop]

    def quoted_at(self, position: int) -> tuple[str, int] | None:
        """The quotation that begins with this word, and where it ends."""
        return self._quoted.get(position)

    def starts_with(self, position: int, phrase: Sequence[str]) -> bool:
        return tuple(self.keys[position : position + len(phrase)]) == tuple(phrase)

    def capital_run(self, start: int) -> int:
        """Where the words in capitals that begin here end, small words between them included."""
        end = start
        while end < len(self) and (self.tokens[end].capital or self.keys[end].isdigit()):
            end += 1
            is_subtitle = self.tokens[end - 1].gap.strip() == ":"
            if self.ends_phrase(end - 1) and not (is_subtitle and end < len(self)):
                return end
            ahead = end
            while self.key(ahead) in _CONNECTORS and not self.ends_phrase(ahead):
                ahead += 1
            if ahead > end and ahead < len(self) and self.tokens[ahead].capital:
                end = ahead
        return end

    def take(self, start: int, end: int) -> None:
        self.gone.update(range(start, end))

    def keep(self, start: int, end: int) -> None:
        self.kept.update(range(start, end))

    def take_asking(self) -> None:
        """Help me choose: said to whom is asked."""
        for position in range(len(self)):
            phrase = next((one for one in _ASKING if self.starts_with(position, one)), ())
            end = position + len(phrase)
            if not phrase or any(self.ends_phrase(n) for n in range(position, end - 1)):
                continue
            while self.key(end) in words.CHOOSING and not self.ends_phrase(end - 1):
                end += 1
            while self.key(end - 1) in {"in", "with", "to"} and end > position + len(phrase):
                end -= 1
            self.take(position, end)

    def topics(self, also_end: Iterable[int]) -> set[int]:
        """Words that say what films are about: behind ``about``, ``set in`` and the like up to the next phrase."""
        ends = set(also_end)
        found: set[int] = set()
        is_topic = False
        for position, key in enumerate(self.keys):
            is_person = key == "who" and self.key(position + 1) in words.LIKES
            ended = self.begins_phrase(position) or key in words.TOPIC_ENDS or position in ends
            if ended or is_person or position in self.gone:
                is_topic = False
            if position in self.gone or is_person:
                continue
            if key in words.TOPIC_STARTS and position not in ends:
                is_topic = True
            elif is_topic:
                found.add(position)
        return found

    def rest(self) -> str:
        """What is left, phrase by phrase, without the words by which people ask."""
        return ", ".join(filter(None, map(self._stripped, self._phrases())))

    def _phrases(self) -> Iterator[list[int]]:
        phrase: list[int] = []
        for position in range(len(self)):
            if position not in self.gone:
                phrase.append(position)
            if position in self.gone or self.ends_phrase(position):
                yield phrase
                phrase = []

    def _stripped(self, phrase: list[int]) -> str:
        left = [n for n in phrase if self._says_something(n) or not self._is_dropped(n)]
        says = [n for n, position in enumerate(left) if self._says_something(position)]
        if not says:
            return ""
        kept = left[says[0] : says[-1] + 1]
        parts = []
        for n in kept:
            token = self.tokens[n]
            joint = token.gap if token.glued and n + 1 in kept else " "
            parts.append(self.text[token.start : token.end] + joint)
        return "".join(parts).strip()

    def _is_dropped(self, position: int) -> bool:
        return self.keys[position] in words.ALWAYS_FILLERS

    def _says_something(self, position: int) -> bool:
        key = self.keys[position]
        if key not in words.FILLERS or position in self.kept:
            return True
        is_joined = self.tokens[position].glued or (position and self.tokens[position - 1].glued)
        feels_good = (key, self.key(position + 1)) == ("feel", "good")
        felt_good = (self.key(position - 1), key) == ("feel", "good")
        if is_joined or feels_good or felt_good:
            return True
        if key in words.PRAISE and not self.ends_phrase(position):
            # good characters, but no good films
            behind = position + 1
            return behind not in self.gone and self.keys[behind] not in words.FILLERS
        return False

    def _find_quoted(self) -> dict[int, tuple[str, int]]:
        found = {}
        for match in _QUOTED.finditer(self.text):
            group = match.lastgroup or ""
            start, stop = match.span(group)
            inside = [
                n
                for n, token in enumerate(self.tokens)
                if start <= token.start and token.start < stop
            ]
            if inside:
                found[inside[0]] = match[group].strip(" ,.;"), inside[-1] + 1
        return found


def _with_full_stops(tokens: Sequence[Token]) -> tuple[Token, ...]:
    """A short word before a full stop ends a sentence as well, unless it is known to be cut: I saw Heat. Any other?"""
    found = list(tokens)
    for position, (token, following) in enumerate(pairwise(tokens)):
        is_stop = token.gap.startswith(".") and token.gap.strip(".") != "" and len(token.key) > 1
        if is_stop and following.capital and token.key not in _ABBREVIATIONS:
            found[position] = replace(token, ends_phrase=True)
    return tuple(found)
