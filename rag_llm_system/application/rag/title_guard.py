"""Checks marked fields of an answer against the context: corrects what is misspelt, unmarks what is made up."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA
from rapidfuzz.utils import default_process

from rag_llm_system.domain.from_context import (
    MAX_VALUE_CHARS,
    FromContext,
    entries_by_mark,
    progress_after,
)

_CHARS_PER_TYPO = 8
"""One letter may be wrong in a title of 8, two in one of 16: "Alien" and "Aliens" stay two films."""

_NOTED_CHARS = 80
_ARTICLE = re.compile(r"(?:the|an?) (?=\S)")
_YEAR_AT_THE_END = re.compile(r"(?P<stem>.*\S)\s*\((?P<year>(?:18|19|20)\d\d)\)\W*")
_LIST_NUMBER = re.compile(r"\s*\d{1,2}[.):]?\s*")


@dataclass(frozen=True, slots=True)
class _Field:
    """What one opening mark leads to."""

    close: str
    values: Mapping[str, tuple[str, ...]]

    def meant(self, written: str) -> tuple[str, str] | None:
        """The value that is clearly meant, and its suffix where ``written`` has a year in place of one."""
        if value := self._nearest(written):
            return value, ""
        with_year = _YEAR_AT_THE_END.fullmatch(written)
        value = self._nearest(with_year["stem"]) if with_year else None
        if value is None or with_year is None:
            return None
        suffixes = self.values[value]
        right = (suffix for suffix in suffixes if with_year["year"] in suffix)
        return value, next(right, suffixes[0] if suffixes else "")

    def _nearest(self, written: str) -> str | None:
        """The only value within the typos that its length allows."""
        if written in self.values:
            return written
        asked = _plain(written)
        distances = {value: _distance(asked, _plain(value)) for value in self.values}
        least = min(distances.values(), default=len(asked))
        found = [value for value, distance in distances.items() if distance == least]
        near = asked and least <= len(asked) // _CHARS_PER_TYPO
        return found[0] if near and len(found) == 1 else None


def _plain(text: str) -> str:
    """Without case, accents, punctuation and a leading article."""
    letters = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _ARTICLE.sub("", default_process("".join(letters)))


def _distance(one: str, other: str) -> int:
    """Letters to change; a number is never a typo."""
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return max(len(one), len(other))
    return OSA.distance(one, other)


class TitleGuard:
    """Takes an answer in pieces and gives it back checked; a marked field is held back until it is complete.

    ``replaced`` are (written, value) and ``flagged`` the texts that lost their marks, in the order of the answer.
    """

    def __init__(self, fields: Sequence[FromContext]) -> None:
        entries = entries_by_mark(fields)
        self._marks = list(entries)
        self._fields = {
            mark: _Field(
                next(f.close for f in fields if f.open == mark),
                {
                    v: tuple(f.suffixes.get(v, ()))
                    for f in fields
                    if f.open == mark
                    for v in f.values
                },
            )
            for mark in self._marks
        }
        self._held = ""
        self.kept = 0
        self.replaced: list[tuple[str, str]] = []
        self.flagged: list[str] = []

    def add(self, piece: str) -> str:
        """The text that is certain after this piece."""
        self._held += piece
        return "".join(self._checked(is_end=False))

    def rest(self) -> str:
        """What was held back at the end of the answer."""
        return "".join(self._checked(is_end=True))

    def notes(self) -> list[str]:
        """For the reader of the answer, a line for each kind of change."""
        notes = []
        if self.replaced:
            changes = ", ".join(f"{written!r} is {value!r}" for written, value in self.replaced)
            notes.append(f"Corrected from the sources: {changes}.")
        if self.flagged:
            named = ", ".join(map(repr, dict.fromkeys(self.flagged)))
            notes.append(f"Careful: the sources have no {named}, which this answer names.")
        return notes

    def _checked(self, *, is_end: bool) -> Iterator[str]:
        while self._held:
            at, mark = min(
                ((at, m) for m in self._marks if (at := self._held.find(m)) >= 0), default=(-1, "")
            )
            if not mark:
                begun = "" if is_end else progress_after("", self._held, self._marks)
                yield self._held[: len(self._held) - len(begun)]
                self._held = begun
                return
            yield self._held[:at]
            self._held = self._held[at:]
            field = self._fields[mark]
            content = self._held[len(mark) :]
            end = _end_of_value(content, field.close)
            if end is None and not is_end:
                return
            if end is None or not content[: max(end, 0)].strip():
                self._held = content
                if end is None or end < 0:
                    self._note_unclosed(content, field, is_cut_off=end is None)
                continue
            behind = content[end + len(field.close) :]
            if not is_end and len(behind) < _longest_suffix(field):
                return
            yield from self._field(mark, field, content[:end], behind)

    def _field(self, mark: str, field: _Field, written: str, behind: str) -> Iterator[str]:
        """A closed field; afterwards what is ``behind`` it is held."""
        self._held = behind
        meant = field.meant(written)
        if meant is None:
            if not _LIST_NUMBER.fullmatch(written):
                self.flagged.append(written[:_NOTED_CHARS])
            # the end of a line is a mark that the text needs in any case
            yield written + (field.close if field.close.isspace() else "")
            return
        value, suffix = meant
        yield f"{mark}{value}{field.close}"
        suffixes = field.values[value]
        wrong = right = ""
        if not behind.startswith(suffixes or ("",)):
            wrong = _of_the_same_shape(suffixes, behind)
            self._held = behind[len(wrong) :]
            right = suffix or (suffixes[0] if wrong else "")
            yield right
        if value != written or wrong:
            self.replaced.append((f"{written}{wrong}", f"{value}{right if wrong else ''}"))
        else:
            self.kept += 1

    def _note_unclosed(self, content: str, field: _Field, *, is_cut_off: bool) -> None:
        """A mark that is never closed is dropped; at the end of an answer that was cut off its text may be right."""
        line = content.partition("\n")[0].strip()
        begun = is_cut_off and any(value.startswith(line) for value in field.values)
        if line and not begun:
            self.flagged.append(line[:_NOTED_CHARS])


def guarded(pieces: Iterable[str], guard: TitleGuard) -> Iterator[str]:
    """The pieces of an answer, checked."""
    for piece in pieces:
        if checked := guard.add(piece):
            yield checked
    if checked := guard.rest():
        yield checked


def _end_of_value(content: str, close: str) -> int | None:
    """Where the closing mark stands; -1 where there is none in this line, None where that is still open."""
    window = content[: MAX_VALUE_CHARS + len(close)]
    line, newline, _ = (window, "", "") if "\n" in close else window.partition("\n")
    if (end := line.find(close)) >= 0:
        return end
    return -1 if newline or len(content) >= MAX_VALUE_CHARS + len(close) else None


def _longest_suffix(field: _Field) -> int:
    return max((len(s) for suffixes in field.values.values() for s in suffixes), default=0)


def _of_the_same_shape(suffixes: Sequence[str], behind: str) -> str:
    """What stands in the place of a suffix: the same but for its digits; "" where there is nothing like it."""
    shapes = (re.sub(r"\d", r"\\d", re.escape(suffix)) for suffix in suffixes)
    found = (match[0] for shape in shapes if (match := re.match(shape, behind)))
    return next(found, "")
