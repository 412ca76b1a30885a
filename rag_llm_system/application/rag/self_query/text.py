"""A question as words: folded to what names are compared by, with case, possessives and gaps kept beside them."""

import re
import unicodedata
from dataclasses import dataclass

# Letters that have no decomposition in Unicode
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h"}
)  # fmt: skip
_UMLAUTS = str.maketrans(
    {"å": "aa", **{letter: f"{plain}e" for letter, plain in zip("äöüø", "aouo", strict=True)}}
)
_APOSTROPHES = "'’ʼ`"  # noqa: RUF001 - typographic ones are what people's keyboards write
_NO_APOSTROPHES = str.maketrans("", "", _APOSTROPHES)
_WORD = re.compile(
    rf"[^\W_](?:[^\W_]|[\u0300-\u036f]|[{_APOSTROPHES}](?=[^\W_]))*(?:\+\+|#(?!\w))?|&", re.UNICODE
)
_POSSESSIVE = re.compile(rf"(?:[{_APOSTROPHES}]s|(?<=s)[{_APOSTROPHES}])$", re.IGNORECASE)
_LONGEST_ABBREVIATION = 4  # letters before a full stop that ends no sentence: J., Dr., Prof.
_MARKS = frozenset(',;:?!()"…\n')
_GLUE = frozenset("-–/_.+#@")  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Token:
    """One word; ``key`` is its folded form, ``gap`` what stands between it and the next one.

    ``start`` and ``end`` are characters of the question, a possessive ending included. ``ends_phrase``: a mark such as
    a comma follows; ``glued``: the next word belongs to this one, as in ``ada-002``.
    """

    key: str
    start: int
    end: int
    capital: bool
    possessive: bool
    gap: str
    ends_phrase: bool
    glued: bool


def folded(text: str) -> str:
    """Case, accents and apostrophes aside: ``Łukasz O'Brien`` and ``lukasz obrien`` are the same."""
    if text.isascii():
        return text.lower().translate(_NO_APOSTROPHES)
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = (c for c in plain if not unicodedata.combining(c) and c not in _APOSTROPHES)
    return "".join(letters).translate(_LETTERS)


def spelt_out(text: str) -> str:
    """As ``folded``, but an umlaut is the vowel and an e, as people write it on other keyboards."""
    return folded(unicodedata.normalize("NFC", text).casefold().translate(_UMLAUTS))


def tokens_of(question: str) -> tuple[Token, ...]:
    text = f"{question}\n"
    found = list(_WORD.finditer(text))
    ends = [match.end() for match in found]
    for position, match in enumerate(found):
        # the apostrophe of "authors' posts" stands behind the word
        after = text[match.end() : match.end() + 2]
        if match[0][-1:] in "sS" and after[:1] in tuple(_APOSTROPHES) and not after[1:].isalnum():
            ends[position] += 1
    starts = [*(match.start() for match in found), len(text)]
    tokens = []
    for match, end, following in zip(found, ends, starts[1:], strict=True):
        written = text[match.start() : end]
        word = _POSSESSIVE.sub("", written)
        key, possessive, gap = folded(word), word != written, text[end:following]
        tokens.append(
            Token(
                key=key,
                start=match.start(),
                end=end,
                capital=word[:1].isupper(),
                possessive=possessive,
                gap=gap,
                ends_phrase=_ends_phrase(key, gap),
                glued=bool(gap) and not possessive and _GLUE.issuperset(gap),
            )
        )
    return tuple(tokens)


def _ends_phrase(key: str, gap: str) -> bool:
    if gap.startswith(".") and len(key) > _LONGEST_ABBREVIATION:
        return gap != "."
    return not _MARKS.isdisjoint(gap)


def keys_of(name: str) -> tuple[str, ...]:
    """The folded words of a name; a possessive within it is part of the word."""
    return tuple(_WORD.findall(folded(name)))
