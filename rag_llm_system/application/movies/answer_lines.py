"""What a line of an answer about films is: the beginning of an item, a score or text, and which film it names."""

import re
from collections.abc import Sequence
from typing import Literal

from rag_llm_system.application.movies.offer import Offered
from rag_llm_system.application.movies.prompt import titles_of
from rag_llm_system.application.rag.title_guard import TitleGuard

HELD_CHARS = 240
"""The film of an item is looked for in so many characters of its first line."""

LineKind = Literal["undecided", "item", "score", "text"]

NAMED = re.compile(r"\*\*(?P<title>[^*\n]+)\*\*(?P<year> \(\d{4}\))?")

_QUOTES = '"\u201c\u201d*_'
_MARKER = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]+)?(?:[-+\u2022][ \t]+|\*[ \t]+)?(?:\*{0,2}\d{1,2}[.)]\*{0,2}[ \t]*)?"
)
_FIELD = re.compile(
    r"[*_\"]{0,2}(?:(?:brief )?description|why|reason|confidence|plot|genres?|cast|starring|year|match|rating|score)\b",
    re.IGNORECASE,
)
_SCORE = re.compile(
    r"[*_]{0,2}(?:confidence|match|relevance|rating|similarity|score)(?:[ \t]+(?:score|level|rating))?[*_]{0,2}[ \t]*"
    r"(?:\([^()\n]{0,20}\))?[ \t]*(?::|=|-|is\b)[*_ \t]*(?:about[ \t]+)?"
    r"(?:\d|\.\d|(?:very[ \t]+)?(?:high|medium|low)\b).{0,200}",
    re.IGNORECASE,
)
_LEAD = re.compile(r"(?:Title:?[ \t]*)?[\"\u201c*_]*", re.IGNORECASE)
_YEAR = re.compile(r"(?!\w)[\"\u201d*_]*(?:[ \t]*\((?P<year>\d{4})\))?[\"\u201d*_]*")
_NAME_ENDS = re.compile(r"[ \t]*(?:[\"\u201d*_]*[ \t]*(?:\(|[:\u2013\u2014]|-[ \t]|,[ \t])|\Z)")
_NAME = re.compile(
    r".{1,80}?(?:[ \t]\(\d{4}\)|(?=[\"\u201d*_]*(?:[ \t]*[:\u2013\u2014]|[ \t]+-|\Z)))"
)
_NO_TITLE = re.compile(r"[a-z]|.*:\s*\Z")


class FilmNames:
    """Finds the film that a line names, in whatever marks."""

    def __init__(self, films: Sequence[Offered]) -> None:
        self._films = sorted(films, key=lambda one: -len(one.title))
        self._fields = titles_of(films)

    def film(self, title: str, year: str | None) -> Offered | None:
        """The one of that year where two have the title; ``year`` as it is shown."""
        same = [film for film in self._films if film.title == title]
        exact = [film for film in same if film.year == (year or "")]
        return next(iter(exact or same), None)

    def named_in(self, line: str) -> tuple[Offered | None, str]:
        """The film of an item by its first line, and what stands behind its name."""
        if named := NAMED.search(line, 0, HELD_CHARS):
            return self.film(named["title"], named["year"]), line[named.end() :].lstrip(_QUOTES)
        lead = _LEAD.match(line, after_marker(line))
        line = line[lead.end() :] if lead else line
        return self._begins(line) or self._misspelt(line) or (None, "")

    def _begins(self, line: str) -> tuple[Offered | None, str] | None:
        for film in self._films:
            if not line.casefold().startswith(film.title.casefold()):
                continue
            if behind := _YEAR.match(line, len(film.title)):
                year = f" ({behind['year']})" if behind["year"] else None
                return self.film(film.title, year), line[behind.end() :]
        return None

    def _misspelt(self, line: str) -> tuple[Offered | None, str] | None:
        """As in bold letters, where one wrong letter is forgiven."""
        ends = _NAME_ENDS.search(line)
        name = line[: ends.start() if ends else len(line)].strip(f" \t{_QUOTES}")
        if not name:
            return None
        guess = TitleGuard(self._fields)
        meant = NAMED.match(guess.add(f"**{name}**") + guess.rest())
        behind = _YEAR.match(line, len(name))
        if meant is None:
            return None
        rest = line[behind.end() if behind else len(name) :]
        return self.film(meant["title"], meant["year"]), rest


def after_marker(line: str) -> int:
    """Where the text begins, behind what makes an item or a heading of it."""
    found = _MARKER.match(line)
    return found.end() if found else 0


def indent_of(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def kind_of(line: str) -> LineKind:
    start = after_marker(line)
    rest = line[start:]
    if _SCORE.fullmatch(rest):
        return "score"
    if re.search(r"\d", line[:start]) and not _FIELD.match(rest):
        return "item"
    return "item" if start > 0 and NAMED.match(rest.lstrip(_QUOTES[:3])) else "text"


def name_of_item(line: str) -> str:
    """The title at the beginning of an item, as far as can be told."""
    text = line[after_marker(line) :].strip(f" \t{_QUOTES}")
    found = _NAME.match(text)
    return plain_title(found[0] if found else text[:80])


def plain_title(title: str) -> str:
    return re.sub(rf"[{_QUOTES}]", "", title).strip(" '")


def letters(title: str) -> str:
    """What titles are compared by: quotation marks, or a year within them, are no correction."""
    return "".join(filter(str.isalnum, re.sub(r"\(\d{4}\)", "", title).casefold()))


def may_be_a_title(marked: str) -> bool:
    """Models set labels and single words in bold letters too."""
    return not (_FIELD.match(marked) or _NO_TITLE.match(marked))
