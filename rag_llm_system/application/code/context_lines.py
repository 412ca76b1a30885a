"""What lines of a file stand in: the definitions around them, and the imports that they use."""

import re
from collections.abc import Iterator

from rag_llm_system.application.preprocessing.code_boundaries import outline_of

_WORD = re.compile(r"[^\W\d]\w*")
_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`\n]*`")
_PYTHON_FROM = re.compile(r"\s*from\s+(\S+)\s+import\s+\(?([^)]*)\)?\s*")
_COMMENT = re.compile(r"#[^\n]*")
_KEYWORDS = frozenset(
    {"import", "from", "as", "use", "using", "static", "type", "crate", "self", "super", "function"}
)

MAX_LINE_CHARS = 160
"""Of one line of context: a list of imports may be as long as a page."""


def context_lines(text: str, language: str, start_line: int, end_line: int) -> list[str]:
    """The imports whose names the lines use, then the signatures of what is around them, outermost first.

    Lines count from 1, both ends included, and are those of the whole ``text``. What the lines show themselves is left
    out, and nothing is said of a language without a grammar.
    """
    return Surroundings(text, language).of(start_line, end_line)


class Surroundings:
    """The context of any lines of one file, which is parsed once."""

    def __init__(self, text: str, language: str) -> None:
        self._outline = outline_of(text, language)
        self._lines = text.split("\n")
        self._is_python = language == "python"

    def of(self, start_line: int, end_line: int) -> list[str]:
        """As :func:`context_lines`."""
        outline, last = self._outline, min(end_line, len(self._lines))
        if outline is None or not 1 <= start_line <= last:
            return []
        shown = range(start_line - 1, last)
        around = outline.around((outline.lines[shown.start], outline.lines[shown.stop]))
        used = set(_WORD.findall("\n".join([*self._lines[shown.start : shown.stop], *around])))
        imports = (lines for lines in outline.imports if lines[0] not in shown)
        return [*(line for lines in imports for line in self._used(lines, used)), *around]

    def _used(self, lines: tuple[int, int], used: set[str]) -> Iterator[str]:
        """Of one import, what gives a name that is used."""
        statement = "\n".join(self._lines[lines[0] : lines[1] + 1])
        if self._is_python and (found := _PYTHON_FROM.fullmatch(_COMMENT.sub("", statement))):
            items = (" ".join(item.split()) for item in found[2].split(","))
            names = ", ".join(item for item in items if item.rpartition(" ")[2] in used)
            if names:
                yield f"from {found[1]} import {names}"[:MAX_LINE_CHARS]
        else:
            yield from _whole(statement, used)


def _whole(statement: str, used: set[str]) -> Iterator[str]:
    """The statement, or of a long list (Go's) those of its lines that are used."""
    parts = statement.split("\n") if "(" in statement and "\n" in statement else [statement]
    for part in parts:
        if _bound(part) & used:
            yield " ".join(part.split())[:MAX_LINE_CHARS]


def _bound(statement: str) -> set[str]:
    """The names that an import may give: all of its words, or the last one of a path in quotation marks."""
    bare = set(_WORD.findall(_STRING.sub(" ", statement))) - _KEYWORDS
    if bare:
        return bare
    return {words[-1] for path in _STRING.findall(statement) if (words := _WORD.findall(path))}
