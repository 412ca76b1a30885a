"""Citations in an answer: the forms that models write become ``[n]``, and each n must be a source."""

import re
from collections.abc import Iterator, Set
from itertools import chain

from rag_llm_system.application.preprocessing.markdown import code_or_prose

# All counts are bounded, so that what may still become a citation can be held back within bounds.
_NUMBERS = r"\d{1,4}(?:\s{0,3}(?:[,;&–-]|and)\s{0,3}\d{1,4}){0,30}"  # noqa: RUF001 - models write ranges with a dash
# What follows a word, a parenthesis or a quote closely is a subscript: rows[7]
_CITATION = rf"""(?P<blank>(?<![ \t])[ \t]*)(?:
        (?<![\w)"'])\[\^?(?:sources?:?\s{{1,3}})?(?P<plain>{_NUMBERS})\](?!\()
      | 【(?:sources?:?\s{{1,3}})?(?P<fullwidth>{_NUMBERS})(?:†[^】`<]{{0,60}})?】
      | \((?:see\s{{1,3}})?sources?:?\s{{1,3}}\[?(?P<named>{_NUMBERS})\]?\)
    )"""
_CODE_CHARS = 500
"""Longer code within a line is prose: nobody waits longer for its end."""
_CODE_BEGINS = r"(?<!`)`+|<(?:code|pre|kbd|samp)\b"
_TOKEN = re.compile(
    rf"""(?P<code>(?<!`)(?P<ticks>`+)(?!`)[^\n]{{0,{_CODE_CHARS}}}?(?<!`)(?P=ticks)(?!`)
      | <(?P<tag>code|pre|kbd|samp)\b[^<>]{{0,100}}>[^\n]{{0,{_CODE_CHARS}}}?</(?P=tag)\b[^<>]{{0,100}}>)
    | (?P<begun>{_CODE_BEGINS})
    | {_CITATION}""",
    re.IGNORECASE | re.VERBOSE,
)
_LONGEST_CODE = _CODE_CHARS + 250
_RANGE = re.compile(r"(\d+)(?:\s*[–-]\s*(\d+))?")  # noqa: RUF001 - as above
_BRACKET = re.compile(r"(?<![ \t])[ \t]*[\[(【]")
# The end of a text that may go on as a citation, with the blanks before it, which go when it goes. What is longer than
# 400 characters is none.
_NAME_BEGUN = r"(?:s[ources:]{0,7}\s{0,3})?"
_LIST_BEGUN = r"[\d\s,;&–\-and\[]{0,400}"  # noqa: RUF001 - as above
_BEGUN = re.compile(
    rf"""(?<![ \t])[ \t]*(?:
        \[\^?{_NAME_BEGUN}{_LIST_BEGUN}\]?
      | 【{_NAME_BEGUN}{_LIST_BEGUN}(?:†[^】`<]{{0,60}})?
      | \((?:see?\s{{0,3}})?{_NAME_BEGUN}{_LIST_BEGUN}\]?
    )?\Z""",
    re.IGNORECASE | re.VERBOSE,
)
_MAY_BE_A_FENCE = re.compile(r"[ \t>]*[`~]")
_LIST_MARK = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])\s")


class CitationGuard:
    """Takes an answer in pieces and gives it back with its citations checked (see :func:`checked_citations`).

    ``cited`` are the numbers that have been given back so far. Held back is what may become a citation, and behind
    what may be the beginning of code what looks like one.
    """

    def __init__(self, known: Set[int]) -> None:
        self._known = known
        self.cited: set[int] = set()
        self._above: list[str] = []  # the lines on which it depends whether this one is code
        self._above_is_code: bool | None = None  # None for a blank line
        self._line = ""
        self._is_code: bool | None = None  # None where the line does not yet tell
        self._given = 0  # characters of the line
        self._read = 0  # likewise; less than those given where code may have begun

    def add(self, piece: str) -> str:
        """The text that is certain after this piece."""
        given = []
        *complete, last = piece.split("\n")
        for part in complete:
            self._line += part
            given += [self._certain(is_complete=True), "\n"]
            self._next_line()
        self._line += last
        given.append(self._certain(is_complete=False))
        return "".join(given)

    def rest(self) -> str:
        """What was held back at the end of the answer."""
        return self._certain(is_complete=True)

    def _certain(self, *, is_complete: bool) -> str:
        """What of this line has not been given back and will not change."""
        line, start = self._line, self._given
        if not _BRACKET.search(line, start):
            self._given = len(line) if is_complete else _begun(line, start)
            return line[start : self._given]
        if not is_complete and self._is_code is None and _MAY_BE_A_FENCE.match(line):
            self._given = _bracket(line, start)
            return line[start : self._given]
        if self._read_is_code():
            self._given = len(line)
            return line[start:]
        return "".join(self._prose(is_complete=is_complete))

    def _prose(self, *, is_complete: bool) -> Iterator[str]:
        line = self._line
        end = len(line) if is_complete else _begun(line, self._given)
        for found in _TOKEN.finditer(line, self._read):
            if found["begun"] or found["code"]:
                may_go_on = len(line) - found.start() < _LONGEST_CODE and (
                    found["begun"] or found.end() == len(line)
                )
                if may_go_on and not is_complete:
                    self._read = found.start()
                    end = min(end, _bracket(line, max(self._given, found.start())))
                    break
            elif found.end() > end:
                break
            else:
                yield line[self._given : found.start()] + self._normalised(found)
                self._given = found.end()
            self._read = found.end()
        end = max(end, self._given)
        yield line[self._given : end]
        self._given = end

    def _normalised(self, found: re.Match[str]) -> str:
        numbers = _numbers(found["plain"] or found["fullwidth"] or found["named"], self._known)
        self.cited.update(numbers)
        return found["blank"] + "".join(f"[{n}]" for n in numbers) if numbers else ""

    def _read_is_code(self) -> bool:
        if self._is_code is None:
            *_, (self._is_code, _) = code_or_prose("\n".join([*self._above, self._line]))
        return self._is_code

    def _next_line(self) -> None:
        """Keeps of the lines above those that decide how the next ones are read."""
        line, above_is_code = self._line, self._above_is_code
        is_code = self._read_is_code() if line.strip() else None
        if is_code is False and above_is_code is None and line[0] not in " \t":
            self._above = [line]  # at the margin after a blank line: all that was before is over
        elif (
            is_code is None
            or is_code != above_is_code
            or _MAY_BE_A_FENCE.match(line)
            or _LIST_MARK.match(line)
        ):
            self._above.append(line)
        self._above_is_code = is_code
        self._line, self._is_code, self._given, self._read = "", None, 0, 0


def checked_citations(text: str, known: Set[int]) -> tuple[str, set[int]]:
    """The text with every citation as ``[n]``, those of unknown sources removed, and the numbers that are cited.

    ``[1, 2]``, ``[1-3]``, ``【1】`` and ``(source 1)`` are read; what stands in code is left alone.
    """
    guard = CitationGuard(known)
    checked = guard.add(text) + guard.rest()
    return checked.strip(), guard.cited


def _begun(line: str, start: int) -> int:
    found = _BEGUN.search(line, start)
    return found.start() if found else len(line)


def _bracket(line: str, start: int) -> int:
    found = _BRACKET.search(line, start)
    return found.start() if found else len(line)


def _numbers(listed: str, known: Set[int]) -> list[int]:
    """In the order in which they are listed, each once."""
    ranges = ((int(first), int(last or first)) for first, last in _RANGE.findall(listed))
    numbers = chain.from_iterable(range(first, last + 1) for first, last in ranges)
    return [n for n in dict.fromkeys(numbers) if n in known]
