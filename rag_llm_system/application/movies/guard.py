"""Holds what a model writes about films to the candidates: their titles, each once, and their computed confidence."""

import re
from collections.abc import Iterator, Sequence

from rag_llm_system.application.movies.answer_lines import (
    HELD_CHARS,
    NAMED,
    FilmNames,
    LineKind,
    after_marker,
    indent_of,
    kind_of,
    letters,
    may_be_a_title,
    name_of_item,
    plain_title,
)
from rag_llm_system.application.movies.offer import Offered
from rag_llm_system.application.movies.prompt import titles_of
from rag_llm_system.application.rag.title_guard import TitleGuard
from rag_llm_system.domain.from_context import progress_after

_LABEL_CHARS = 40
"""By so many characters behind its marker a line shows whether it begins an item or says how sure the model is."""

_MOST_ENDS = 2
"""One blank line: what was left out leaves no hole."""

_INDENT = "   "
_SURE = re.compile(
    r"(?P<before>\d[\d.,]*[ \t]*%?[ \t]+)?confiden(?:ce|t)(?P<behind>(?:[ \t]+(?:score|level|rating))?"
    r"[ \t]*(?:\([^()\n]{0,20}\))?[ \t]*(?::|=|of|is|at)?[ \t]*(?:about[ \t]+)?\d[\d.,/]*[ \t]*%?)?",
    re.IGNORECASE,
)
_SURE_WORD = "confiden"
_NUMBER_BEHIND = re.compile(r"\d[\d.,]*[ \t]*%?[ \t]*\Z")


class FilmGuard:
    """Takes an answer in pieces and gives it back; nothing it gave has to be taken back.

    An item of a list whose film is no candidate, or was there before, is left out; the others are numbered anew.
    Whatever is said of confidence becomes the computed one, and where nothing is said it is added. ``told`` are the
    candidates that the answer recommends, in its order. ``mentioned`` are titles that the question itself has.
    """

    def __init__(self, films: Sequence[Offered], mentioned: Sequence[str] = ()) -> None:
        self._names = FilmNames(films)
        self._mentioned = mentioned
        self._titles = TitleGuard(titles_of(films))
        self._line = ""  # what is held back of this line
        self._kind: LineKind = "undecided"
        self._gaps = ""  # ends of lines that are held back
        self._item: Offered | None = None
        self._indent = 0
        self._dropping = False
        self._has_confidence = False
        self._items: list[Offered] = []
        self._left_out: list[str] = []
        self.told: list[Offered] = []

    def add(self, piece: str) -> str:
        """The text that is certain after this piece."""
        return "".join(self._checked(self._titles.add(piece)))

    def rest(self) -> str:
        """What was held back, and the confidence of the films that were named without one."""
        parts = [*self._checked(self._titles.rest()), *self._end_of_line()]
        parts += self._end_of_item()
        if loose := [film for film in self.told if film not in self._items]:
            said = ", ".join(f"{film.title} {film.confidence}" for film in loose)
            parts.append(f"\n\nConfidence: {said}.")
        return "".join(parts)

    @property
    def left_out(self) -> bool:
        return bool(self._left_out)

    @property
    def unmarked(self) -> list[str]:
        """Titles of no candidate that it tells of outside of a list."""
        known = {letters(one) for one in (*self._left_out, *self._mentioned)}
        flagged = [plain_title(one) for one in self._titles.flagged if may_be_a_title(one)]
        return [one for one in dict.fromkeys(flagged) if letters(one) not in known]

    def notes(self) -> list[str]:
        """For the reader: what was changed, and what was named that is none of the films."""
        notes = []
        replaced = [one for one in self._titles.replaced if letters(one[0]) != letters(one[1])]
        if replaced:
            changes = ", ".join(f"{written!r} is {value!r}" for written, value in replaced)
            notes.append(f"Corrected from the sources: {changes}.")
        if left_out := dict.fromkeys(self._left_out):
            named = ", ".join(map(repr, left_out))
            notes.append(f"Left out of the answer: {named}, which is none of the films found.")
        if unmarked := self.unmarked:
            named = ", ".join(map(repr, unmarked))
            notes.append(f"Careful: none of the films found is {named}, which this answer names.")
        return notes

    def _checked(self, text: str) -> Iterator[str]:
        *complete, last = text.split("\n")
        for part in complete:
            yield from self._more(part)
            yield from self._end_of_line()
            self._gaps += "\n"
        yield from self._more(last)

    def _more(self, text: str) -> Iterator[str]:
        self._line += text
        if self._kind == "undecided":
            self._kind = self._kind_of_line()
        if self._kind == "item" and len(self._line) > HELD_CHARS:
            yield from self._begin_item()
        if self._kind == "text":
            yield from self._certain()

    def _kind_of_line(self) -> LineKind:
        """By its beginning; undecided until it is long enough."""
        line = self._line
        is_short = len(line) - after_marker(line) < _LABEL_CHARS
        return "undecided" if is_short else self._kind_of(line)

    def _kind_of(self, line: str) -> LineKind:
        kind = kind_of(line)
        # what is numbered within an item is a part of it
        is_inside = self._item is not None and indent_of(line) > self._indent + 1
        return "text" if kind == "item" and is_inside else kind

    def _certain(self) -> Iterator[str]:
        """Of a line of text: all but what may be said of confidence, which is held to its end."""
        line = self._line
        if _SURE_WORD in line.lower():
            return
        begun = progress_after("", line.lower(), [_SURE_WORD])
        end = len(line) - len(begun)
        if number := _NUMBER_BEHIND.search(line, 0, end):
            end = number.start()
        end = len(line[:end].rstrip(" \t"))
        self._line = line[end:]
        yield from self._given(line[:end])

    def _end_of_line(self) -> Iterator[str]:
        line, kind = self._line, self._kind
        if kind == "undecided":
            kind = self._kind_of(line)
        if kind == "item":
            yield from self._begin_item()
            line = self._line
        if kind == "score":
            yield from self._score(line)
        elif _SURE_WORD in line.lower():
            yield from self._given(_SURE.sub(self._surely, line))
        else:
            yield from self._given(line.rstrip())
        self._line, self._kind = "", "undecided"

    def _begin_item(self) -> Iterator[str]:
        """The line of an item: its film in place of what names it, or nothing of all of it."""
        found, rest = self._names.named_in(self._line)
        gaps, self._gaps = self._gaps, ""
        yield from self._end_of_item()
        self._kind = "text"
        self._dropping = found is None or found in self.told
        if found is None or self._dropping:
            if found is None and (title := name_of_item(self._line)):
                self._left_out.append(title)
            self._line = ""
            self._gaps = gaps
            return
        self._item, self._has_confidence = found, False
        self._indent = indent_of(self._line)
        self._items.append(found)
        self.told.append(found)
        self._gaps = gaps
        yield from self._given(f"{len(self._items)}. {found.bold}")
        self._line = rest

    def _end_of_item(self) -> Iterator[str]:
        if self._item is not None and not self._has_confidence and not self._dropping:
            yield f"\n\n{_INDENT}Confidence: {self._item.confidence}"
        self._item = None

    def _score(self, line: str) -> Iterator[str]:
        """A line that says how sure the model is, and nothing else."""
        if self._item is None or self._has_confidence or self._dropping:
            return
        self._has_confidence = True
        blanks = line[: len(line) - len(line.lstrip())]
        yield from self._given(f"{blanks}Confidence: {self._item.confidence}")

    def _surely(self, found: re.Match[str]) -> str:
        word = found[0][len(found["before"] or "") :]
        word = word[: len(word) - len(found["behind"] or "")]
        if not (found["before"] or found["behind"]):
            return found[0]
        film = self._item or (self.told[-1] if self.told else None)
        if film is None or word.lower().endswith("t"):
            return word
        self._has_confidence = self._has_confidence or film is self._item
        return f"{word}: {film.confidence}"

    def _given(self, text: str) -> Iterator[str]:
        if self._dropping or not text:
            return
        for named in NAMED.finditer(text):
            film = self._names.film(named["title"], named["year"])
            if film is not None and film not in self.told:
                self.told.append(film)
        gaps, self._gaps = self._gaps, ""
        yield gaps[:_MOST_ENDS] + text
