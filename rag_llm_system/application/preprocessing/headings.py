"""Finds the headings of Markdown and reStructuredText, and the path of headings above a place."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from rag_llm_system.application.preprocessing.markdown import code_or_prose

MAX_HEADING_CHARS = 200
"""Each piece carries its headings: a "heading" without an end must not multiply."""

_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*)")
_CLOSING_MARKS = re.compile(r"(?:^|[ \t])#+$")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t\r]*$")
_RST_LINE = re.compile(r"([=\-~^\"'`+*#:._<>])\1*[ \t\r]*$")


class Headings:
    """The headings of a text in order; ``above`` gives the path at a place."""

    def __init__(self, text: str, *, rst: bool = False) -> None:
        found = list(_rst_headings(text) if rst else _markdown_headings(text))
        self.starts = [start for start, _, _ in found]
        self._paths: list[tuple[str, ...]] = []
        path: list[tuple[int, str]] = []
        for _, level, title in found:
            path = [above for above in path if above[0] < level]
            path.append((level, title))
            self._paths.append(tuple(name for _, name in path if name))

    def above(self, place: int) -> tuple[str, ...]:
        """Titles from the outermost to the innermost; a heading that starts at ``place`` is one of them."""
        found = bisect_right(self.starts, place)
        return self._paths[found - 1] if found else ()


def _markdown_headings(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, level, title) of lines with leading number signs, and of single lines that are underlined."""
    at, before, line_before, previous = 0, "", "", 0
    for is_code, line in code_or_prose(text):
        if not is_code and (atx := _ATX.match(line)):
            yield at, len(atx[1]), _title(_CLOSING_MARKS.sub("", atx[2].rstrip()))
        elif not is_code and _is_underlined(line_before, before) and (mark := _SETEXT.match(line)):
            yield previous, 1 if mark[1][0] == "=" else 2, _title(line_before)
        before, line_before, previous = line_before, "" if is_code else line, at
        at += len(line) + 1


def _is_underlined(line: str, before: str) -> bool:
    return (
        bool(line.strip())
        and not before.strip()
        and not line.startswith(("#", "    ", "\t", ">", "-", "|"))
    )


def _rst_headings(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, level, title); the level follows from the order in which the styles of underlines appear."""
    lines = text.split("\n")
    styles: dict[str, int] = {}
    at = 0
    for number, line in enumerate(lines[:-1]):
        under = _RST_LINE.match(lines[number + 1])
        over = lines[number - 1].rstrip() if number else ""
        has_over = bool(_RST_LINE.match(over))
        if (
            under
            and line.strip()
            and not _RST_LINE.match(line)
            and (has_over or not over)
            and len(under[0].rstrip()) >= len(line.strip())
        ):
            style = under[1] * (2 if has_over else 1)
            start = at - len(lines[number - 1]) - 1 if has_over else at
            yield start, styles.setdefault(style, len(styles) + 1), _title(line)
        at += len(line) + 1


def _title(marked: str) -> str:
    """Without emphasis and links."""
    words = _LINK.sub(r"\1", marked[: 4 * MAX_HEADING_CHARS]).replace("**", "").replace("__", "")
    return " ".join(words.split()).strip("*_ ")[:MAX_HEADING_CHARS]
