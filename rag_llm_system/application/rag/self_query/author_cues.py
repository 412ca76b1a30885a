"""The words around names that make them authors: ``posts by``, ``'s articles``, ``what does`` Ada ``say``."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rag_llm_system.application.rag.self_query import words
from rag_llm_system.application.rag.self_query.names import Mention
from rag_llm_system.application.rag.self_query.text import Token

LIST = frozenset({"and", "or", "nor", "&"})
"""What joins names."""

_MODIFIERS = words.word_set(
    "best earlier early first last latest most new newer newest old older oldest own previous recent short "
    "two three"
)
_ON_THE_WAY = words.word_set(
    "all any article articles authored by content except for from in of one ones or piece pieces post posted "
    "posts published text texts the these things those written"
)
_BEFORE_CLAUSE = words.SOURCES | words.ANYTHING | {"that", "which"}
_NEW = words.word_set("else good interesting latest new newest posted recent recently useful")
_TOPIC = words.word_set("about for like of on regarding")
_BEFORE_BY = (
    words.SOURCES | words.ANYTHING | words.WRITTEN | words.REFUSALS | LIST | {"latest", "newest"}
)
_REQUESTS = frozenset({"want", "need", "show", "include", "give", "me"})
_BEFORE_FROM = (
    words.SOURCES
    | words.ANYTHING
    | words.ANYONE
    | words.REFUSALS
    | words.OPINIONS
    | {"latest", "newest", "posted"}
)
_PEOPLE = words.ANYONE | {"who"}
_PASSED = words.ADVERBS | words.AUXILIARIES | words.REFUSALS
_SAYS = words.SAYS_BASE | words.SAYS_INFLECTED
_OF_SOMEBODY = words.SOURCES | words.OPINIONS
_WITH_CUE = words.SOURCES | words.WRITTEN | {"according"}
_BEFORE_NAMES = words.FUNCTION_WORDS | words.TITLES | words.SOURCES | words.AUTHORS
_BEHIND_NAMES = words.FUNCTION_WORDS | words.ADVERBS | _SAYS | {"&", "last", "yesterday", "today"}


@dataclass(frozen=True, slots=True)
class Found:
    """Authors of words ``[start, end)``, the words that make them authors included."""

    names: tuple[str, ...]
    start: int
    end: int
    excluded: bool = False


class Cues:
    """What stands around a group of names that a question treats alike."""

    def __init__(
        self, tokens: Sequence[Token], group: Sequence[Mention], platforms: Collection[str]
    ) -> None:
        self._tokens = tokens
        self._keys = [token.key for token in tokens]
        self._group = group
        self._platforms = platforms
        self._start, self._end = group[0].start, group[-1].end
        self._whole = all(mention.whole for mention in group)
        self._lower = not all(tokens[mention.start].capital for mention in group)
        singles = [self._keys[m.start] for m in group if not m.whole]
        self._is_word = self._lower and not words.WORDS_AND_NAMES.isdisjoint(singles)
        self._is_month = not words.MONTHS.keys().isdisjoint(singles)
        self._is_language = not words.LANGUAGE_NAMES.isdisjoint(singles)
        self._cue = self._cue_position()

    def author(self) -> Found | None:
        if not all(self._may_be_meant(mention) for mention in self._group):
            return None
        for look in (self._behind_by, self._excluded, self._in_front_of_verb, self._possessive):
            found = look()
            if found is not None:
                return found
        return self._named_plainly()

    def refused(self) -> Found | None:
        """Behind other authors: by Grace, ``not Ada``."""
        if self._key(self._start - 1) != "not":
            return None
        return self._found(self._start - 1, self._end, excluded=True)

    def _key(self, position: int) -> str:
        return self._keys[position] if 0 <= position < len(self._keys) else ""

    def _joined_before(self, position: int) -> bool:
        """No comma or full stop between this word and the one before."""
        return position > 0 and not self._tokens[position - 1].ends_phrase

    def _cue_position(self) -> int:
        """The word in front of the names, titles and the like left out."""
        position = self._start - 1
        while self._key(position) in words.TITLES or (self._key(position) == "the" and self._whole):
            position -= 1
        return position

    def _may_be_meant(self, mention: Mention) -> bool:
        """A first or last name alone stands alone: neither part of a longer name nor of a longer term."""
        if mention.whole:
            return True
        token = self._tokens[mention.start]
        if not mention.exact and not token.capital:
            return False
        if not token.capital and token.key in words.NEVER_AUTHORS and not token.possessive:
            return False
        if self._keys[mention.start - 1] in {"the", "a", "an"} and mention.start:
            return False
        if mention.start == self._start and not self._free_before(mention.start):
            return False
        return token.possessive or self._free_behind(mention.end)

    def _free_before(self, start: int) -> bool:
        if not self._joined_before(start):
            return True
        before = self._tokens[start - 1]
        return before.key in _BEFORE_NAMES or not (before.capital and start > 1)

    def _free_behind(self, end: int) -> bool:
        if end >= len(self._tokens) or self._tokens[end - 1].ends_phrase:
            return True
        token = self._tokens[end]
        # "States" behind "United" is no verb
        return token.key in _BEHIND_NAMES and not (token.capital and token.key in _SAYS)

    def _behind_by(self) -> Found | None:
        """``posts by Ada``, ``articles from Ada``, ``the posts of Ada``, ``according to Ada``, ``the author Ada``."""
        cue, key = self._cue, self._key(self._cue)
        topic = self._tokens[self._end - 1].possessive and not self._source_behind()
        before = self._key(cue - 1)
        if key == "by":
            sure = self._is_written(cue)
        elif key == "of":
            sure = before in words.SOURCES
        elif key == "from":
            what = self._key(cue - 2) if before in _NEW else before
            sure = what in _BEFORE_FROM and self._key(self._end) != "to"
        elif key == "to":
            sure = before == "according"
        else:
            named = key in words.AUTHORS or (key == "is" and before in words.AUTHORS)
            sure = named and self._whole
        if not sure or topic:
            return None
        return self._found_from(cue - (before in _WITH_CUE), cue)

    def _is_written(self, by: int) -> bool:
        """Whether ``by`` tells who wrote: not who invented, and not how."""
        before = self._key(by - 1)
        if by == 0 or before in _BEFORE_BY:
            return True
        if before.endswith("ed") or before in words.PARTICIPLES or self._is_word or self._is_month:
            return False
        earlier = self._keys[:by]
        return any(
            key in words.SOURCES or key in words.WRITTEN or key == "write" for key in earlier
        )

    def _found_from(self, start: int, cue: int) -> Found:
        refused = self._refusal_before(cue)
        return self._found(
            start if refused is None else refused,
            self._end,
            excluded=refused is not None,
        )

    def _refusal_before(self, cue: int) -> int | None:
        """Where ``not by``, ``except those by`` or ``other than`` begins in front of this word."""
        position = cue - 1
        while self._key(position) in _ON_THE_WAY or self._key(position) in _REQUESTS:
            if self._key(position) in words.EXCLUSIONS:
                return position
            position -= 1
        key, before = self._key(position), self._key(position - 1)
        if key in words.REFUSALS | words.EXCLUSIONS:
            passed = self._keys[position + 1 : cue]
            if key == "dont" and _REQUESTS.isdisjoint(passed):
                return None
            # "isn't the article by Ada" asks about it, "isn't written by Ada" leaves it out
            asks = key.endswith("nt") and key != "dont" and not words.WRITTEN.issuperset(passed)
            return None if asks else position
        if key in {"apart", "aside"}:
            return position
        return position - 1 if key == "than" and before in {"other", "rather"} else None

    def _excluded(self) -> Found | None:
        """``anyone but Ada``, ``other than Ada``, ``articles excluding Ada's``."""
        key, before = self._key(self._cue), self._key(self._cue - 1)
        than = (key == "than" and before in {"other", "rather"}) or (
            key == "from" and before in {"apart", "aside"}
        )
        start = self._cue - than
        if key not in words.EXCLUSIONS | {"but", "besides"} and not than:
            return None
        of_people = any(self._key(start - back) in _PEOPLE for back in (1, 2, 3))
        last = self._tokens[self._end - 1]
        of_theirs = key in words.EXCLUSIONS and (last.possessive or self._whole)
        if of_people or (of_theirs and self._key(start - 1) in words.SOURCES | words.ANYTHING):
            return self._found(start, self._end, excluded=True)
        return None

    def _in_front_of_verb(self) -> Found | None:
        """``what did Ada write``, ``Ada argues``, ``posts that Ada did not write``."""
        last = self._tokens[self._end - 1]
        if last.possessive or (last.ends_phrase and len(self._group) == 1):
            return None
        verb, refused = self._verb()
        key, before = self._key(verb), self._key(self._start - 1)
        asked = self._key(self._cue) in words.AUXILIARIES and self._joined_before(self._start)
        says = key in _SAYS or self._has_to_say(verb)
        if asked and key in words.MAKES:
            says = not words.ARGUMENTS.isdisjoint(self._keys[: self._start])
        documents = before in _BEFORE_CLAUSE
        if asked:
            # "What does Ruby say?" asks the language
            sure = says and (not self._is_language or key in words.WRITES)
        elif self._is_word or not says or before in _TOPIC:
            sure = False
        elif self._is_language or (self._start == 0 and self._keys[0] in words.WORDS_AND_NAMES):
            sure = key in words.SAYS_SURELY or (key in _SAYS and documents)
        else:
            sure = key in words.SAYS_INFLECTED or refused or len(self._group) > 1
        if not sure:
            return None
        start = self._start - (before in words.SOURCES)
        return self._found(start, verb, excluded=refused and documents)

    def _verb(self) -> tuple[int, bool]:
        """Where the verb behind the names stands, and whether it is refused."""
        position, refused = self._end, False
        while self._key(position) in _PASSED:
            refused = (
                refused
                or self._key(position) in words.REFUSALS
                or self._key(position).endswith("nt")
            )
            position += 1
        return position, refused

    def _has_to_say(self, position: int) -> bool:
        return [self._key(position + ahead) for ahead in (0, 1)] == ["to", "say"]

    def _source_behind(self) -> int | None:
        """The document or opinion that a possessive is about: ``Ada's latest posts``."""
        position = self._end
        while self._is_modifier(position):
            position += 1
        return position if self._key(position) in _OF_SOMEBODY else None

    def _is_modifier(self, position: int) -> bool:
        key = self._key(position)
        if key == "blog":
            return self._key(position + 1) in words.SOURCES
        return key in _MODIFIERS or key in self._platforms or key.isdigit()

    def _possessive(self) -> Found | None:
        if not self._tokens[self._end - 1].possessive:
            return None
        source = self._source_behind()
        if source is None:
            return None
        refused = self._refusal_before(self._start)
        start = self._start if refused is None else refused
        return self._found(start, source + 1, excluded=refused is not None)

    def _named_plainly(self) -> Found | None:
        """``Zoë Müller posts about chunking``, ``Zoë Müller on chunking`` at the start of a question."""
        exact = all(mention.exact for mention in self._group)
        if self._start or not self._whole or not exact or self._tokens[self._end - 1].ends_phrase:
            return None
        key = self._key(self._end)
        if key == "on" or (key in words.DOCUMENTS and key.endswith("s")):
            return self._found(0, self._end + (key != "on"))
        return None

    def _found(self, start: int, end: int, *, excluded: bool = False) -> Found:
        names = dict.fromkeys(name for mention in self._group for name in mention.values)
        return Found(tuple(names), start, end, excluded)
