"""A text as a model may read it: letters that look alike made one, encoded parts decoded."""

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

_LOOK_ALIKE = dict(
    zip(
        "абвгезикмнорстухіїјѕӏԁһ" "αβεηικνορτυχω" "ɡɩɑ" "ⅼℓ",  # noqa: RUF001 - that is what they are for
        "abbrezukmhopctyxiijsldh" "abenikvoptuxw" "gia" "ll",
        strict=True,
    )
)  # fmt: skip
_OTHER = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "_": " "}

_DIGITS = str.maketrans("013457@$", "oieastas")
"""Letters that digits stand for, in words that mix both."""

_MIXED = re.compile(r"(?<![\w@$])(?=[\d@$]*[a-z])(?=[a-z]*[\d@$])[a-z\d@$]{3,}(?![\w@$])")
_SPACED = re.compile(r"(?<!\w)\w(?:[ .*~|/-]{1,3}\w(?!\w)){5,}")
_TELLING = frozenset(
    {
        "answer",
        "disregard",
        "forget",
        "ignore",
        "instruction",
        "instructions",
        "output",
        "previous",
        "prompt",
        "reply",
    }
    | {"respond", "rules", "system"}
)
_MIN_DECODED = 8


@dataclass(frozen=True)
class View:
    """``text`` is lower-case; character ``i`` of it stands at ``places[i]`` of the original, or at ``i``.

    ``carrier`` is the span of the original that holds all of a decoded text.
    """

    text: str
    places: Sequence[int] = ()
    carrier: tuple[int, int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Of the original, for a span of this view that is not empty."""
        if self.carrier:
            return self.carrier
        if self.places:
            return self.places[start], self.places[end - 1] + 1
        return start, end

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(re.findall(r"[^\W\d]+", self.text))


class _Folded(dict[int, str]):
    """Each letter without case, accent and script, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        letter = unicodedata.normalize("NFKC", chr(code)).lower()
        if not "\uac00" <= letter <= "\ud7a3":  # what Korean syllables are made of is not an accent
            letter = unicodedata.normalize("NFKD", letter)
        plain = "".join(c for c in letter if not unicodedata.combining(c))
        plain = "".join(_OTHER.get(c, _LOOK_ALIKE.get(c, c)) for c in plain)
        self[code] = plain
        return plain


_FOLDED = _Folded()


def folded(text: str) -> str:
    """Lower-case, without accents; letters of other scripts that look like Latin ones are those."""
    return text.lower().replace("_", " ") if text.isascii() else text.translate(_FOLDED)


def views(text: str) -> Iterator[View]:
    """The text itself, then what is decoded from its parts. Linear in the length of ``text``."""
    plain = _plain_view(text)
    yield plain
    if any(word.translate(_DIGITS) in _TELLING for word in _MIXED.findall(plain.text)):
        yield View(_MIXED.sub(lambda word: word[0].translate(_DIGITS), plain.text), plain.places)
    for found in _SPACED.finditer(plain.text):
        yield _unspaced(plain, found)
    yield from _turned(plain)
    yield from _decoded(text)


def _plain_view(text: str) -> View:
    plain = folded(text)
    if len(plain) == len(text):
        return View(plain)
    places = [place for place, letter in enumerate(text) for _ in folded(letter)]
    return View(plain, places)


def _unspaced(plain: View, found: re.Match[str]) -> View:
    """Two blanks or more are taken for the end of a word, and so is the end of the run."""
    words = re.split(r"[ .*~|/-]{2,}", found[0])
    joined = " ".join(re.sub(r"\W", "", word) for word in words)
    return View(joined, carrier=plain.span(*found.span()))


_ROT13 = re.compile(
    rf"\b(?:{'|'.join(codecs.encode(word, 'rot13') for word in sorted(_TELLING))})\b"
)
_REVERSED = re.compile(rf"\b(?:{'|'.join(word[::-1] for word in sorted(_TELLING))})\b")


def _turned(plain: View) -> Iterator[View]:
    """Of a text that has words in rot13 or backwards, the paragraphs that do."""
    for turned, words in ((_rot13, _ROT13), (_backwards, _REVERSED)):
        done = 0
        for found in words.finditer(plain.text):
            if found.start() >= done:
                start = plain.text.rfind("\n", 0, found.start()) + 1
                end = plain.text.find("\n", found.end())
                done = len(plain.text) if end < 0 else end
                yield View(turned(plain.text[start:done]), carrier=plain.span(start, done))


def _rot13(text: str) -> str:
    return codecs.encode(text, "rot13")


def _backwards(text: str) -> str:
    return text[::-1]


def _of_base64(text: str) -> bytes:
    letters = re.sub(r"\s", "", text).rstrip("=").translate(str.maketrans("-_", "+/"))
    return base64.b64decode(
        letters[: len(letters) - (len(letters) % 4 == 1)] + "==", validate=False
    )


def _of_hexadecimal(text: str) -> bytes:
    return bytes.fromhex(re.sub(r"\\x|0x|[^0-9a-f]", "", text.lower()))


def _of_escapes(text: str) -> bytes:
    codes = re.findall(r"\\u([0-9a-fA-F]{4})", text)
    return "".join(chr(int(code, 16)) for code in codes).encode("utf-8", "ignore")


def _of_bits(text: str) -> bytes:
    return bytes(int(eight, 2) for eight in re.findall("[01]{8}", text))


def _of_percents(text: str) -> bytes:
    return unquote(text.replace("+", " "), errors="ignore").encode("utf-8", "ignore")


def _of_entities(text: str) -> bytes:
    return html.unescape(text).encode("utf-8", "ignore")


_CARRIERS: tuple[tuple[str, re.Pattern[str], Callable[[str], bytes]], ...] = (
    ("\\u", re.compile(r"(?:\\u[0-9a-fA-F]{4}){8,}"), _of_escapes),
    ("%", re.compile(r"[\w.+-]{0,40}(?:%[0-9a-fA-F]{2}[\w.+-]{0,40}){3,}"), _of_percents),
    ("&#", re.compile(r"(?:&#(?:\d{1,7}|x[0-9a-fA-F]{1,6});[ ]?){6,}"), _of_entities),
    ("", re.compile(r"(?<!\w)(?:[01]{8}[ ]?){10,}"), _of_bits),
    ("", re.compile(r"(?<!\w)(?:(?:\\x|0x)?[0-9a-fA-F]{2}[ :,]{0,2}){20,}"), _of_hexadecimal),
    (
        "",
        re.compile(r"(?<![\w+/-])[A-Za-z0-9+/_-]{24,}(?:\s{1,2}[A-Za-z0-9+/_-]{24,})*={0,2}"),
        _of_base64,
    ),
)
"""What the carrier must contain, how it looks, and how it is read."""


def _decoded(text: str) -> Iterator[View]:
    for mark, carrier, read in _CARRIERS:
        if mark not in text:
            continue
        for found in carrier.finditer(text):
            try:
                decoded = read(found[0]).decode("utf-8")
            except (ValueError, binascii.Error):
                continue
            if len(decoded) >= _MIN_DECODED and " " in decoded and decoded.isprintable():
                yield View(folded(decoded), carrier=found.span())
