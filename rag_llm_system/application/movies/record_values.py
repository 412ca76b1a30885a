"""Single values of film records, as they should have been written: texts, years, lists of names, directors."""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

FIRST_YEAR, LAST_YEAR = 1870, 2100
"""Between the first moving pictures and any film that is announced."""

_MARKUP = (
    (re.compile(r"<ref\b[^<>]*/>|<ref\b[^<>]*>.*?</ref>|<!--.*?-->", re.DOTALL | re.IGNORECASE), ""),
    (re.compile(r"<br\s*/?>", re.IGNORECASE), " "),
    (re.compile(r"</?(?:b|em|i|nowiki|small|span|strong|sub|sup|u)\b[^<>]*>", re.IGNORECASE), ""),
    (re.compile(r"\{\{[^{}]*\}\}"), ""),
    (re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]"), r"\1"),
    (re.compile(r"\[(?:\d{1,3}|[a-z]|citation needed)\]"), ""),
    (re.compile(r"'{2,5}"), ""),
)  # fmt: skip
"""What Wikipedia's pages leave in data made from them. A film may be called "[Rec]"."""

_NOTHING = frozenset({"n/a", "na", "none", "null", "tba", "unknown", "various"})
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_IN_BRACKETS = re.compile(r"\s*\([^()]*\)\s*$")
_SUFFIX = re.compile(r"\s*,\s*((?:Jr|Sr)\.?|I{2,3}|IV)(?=$|\s*[,;|/])")


def plain_text(value: Any) -> str:
    """One line without wiki markup, entities and runs of blanks; "" for what is no text."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    text = without_surrogates(html.unescape(str(value)))
    if not set(text).isdisjoint("<{['"):
        for markup, instead in _MARKUP:
            text = markup.sub(instead, text)
    return " ".join(unicodedata.normalize("NFC", text).split())


def without_surrogates(text: str) -> str:
    """Halves of characters, which JSON can hold and no store, become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def year_of(value: Any) -> int:
    """Of a number, a year or a date in any order; 0 when there is none, or more than one."""
    if isinstance(value, float) and not value.is_integer():
        return 0
    years = {int(found) for found in _YEAR.findall(plain_text(value))}
    [year] = years if len(years) == 1 else [0]
    return year if FIRST_YEAR <= year <= LAST_YEAR else 0


def names_of(value: Any, separator: str) -> tuple[str, ...]:
    """The names of a list, or of a text between its separators, each once and in order.

    What a record says instead of a name is dropped: "", ".", "(voices)", "N/A".
    """
    if isinstance(value, list):
        parts: Sequence[Any] = [one.get("name") if isinstance(one, dict) else one for one in value]
    else:
        # the comma in "Robert Downey, Jr." separates nothing
        parts = _SUFFIX.sub(r" \1", value).split(separator) if isinstance(value, str) else [value]
    return tuple(dict.fromkeys(name for part in parts if (name := _name(part))))


def _name(part: Any) -> str:
    name = _SUFFIX.sub(r" \1", _IN_BRACKETS.sub("", plain_text(part))).strip(" ,;|/")
    is_name = any(letter.isalnum() for letter in name) and name.casefold() not in _NOTHING
    return name if is_name else ""


# "directed by X", "directed and written by X", "directed, written and produced by X"; not "directed by and starring"
_DIRECTED = re.compile(r"\bdirected(?:,? (?:and |co-)*\w+)*? by (?=[^\W\d_])", re.IGNORECASE)
_SO_FAR = 400  # characters: further on, the film that another one is based on may be told of
_WORD = r"(?:(?:[^\W\d_a-z]\.)+|[^\W\d_a-z][\w'\u2019\-]*)"
_PARTICLE = r"(?:al|bin|da|de|del|della|der|di|dos|du|el|la|le|van|von|y)"
_PERSON = re.compile(rf"{_WORD}(?: (?:{_PARTICLE} )*{_WORD})*")
_AND = re.compile(r"\s*,? (?:and|&) |, ")
# a name that goes on with a noun was none: "Academy Award winner ..."
_AFTER = re.compile(
    r"(?:\s*[.,;:()]|\s+(?:about|adapted|and|as|at|based|by|featuring|for|from|in|on|produced|released|set|starring|that"
    r"|the|to|which|who|whose|with|written)\b|$)"
)  # fmt: skip


def directors_in(text: str) -> tuple[str, ...]:
    """Whom the beginning of a text names after "directed by"; () when that is not plain.

    Only names of two words and more are taken, "Joel and Ethan Coen" are two of them.
    """
    start = _DIRECTED.search(text, 0, _SO_FAR)
    if start is None:
        return ()
    found = list(_people(text, start.end()))
    if not found or not _AFTER.match(text, found[-1].end()):
        return ()
    return _with_family_names([one[0] for one in found])


def _people(text: str, at: int) -> Iterator[re.Match[str]]:
    while person := _PERSON.match(text, at):
        yield person
        joined = _AND.match(text, person.end())
        if joined is None:
            return
        at = joined.end()


def _with_family_names(names: Sequence[str]) -> tuple[str, ...]:
    whole: list[str] = []
    for name, following in zip(names, [*names[1:], ""], strict=True):
        if " " not in name and " " not in following:
            return ()
        whole.append(name if " " in name else f"{name} {following.rpartition(' ')[2]}")
    return tuple(dict.fromkeys(f"{one}." if one.endswith((" Jr", " Sr")) else one for one in whole))
