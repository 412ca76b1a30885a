"""Reads the code of a page as fenced Markdown, unchanged, with the language that the page names."""

import re
from collections.abc import Iterator
from typing import Any

_LANGUAGE = re.compile(
    r"(?:^|\s)(?:language-|lang-|highlight-source-|highlight-text-|brush:\s*|sourceCode\s+)([\w+#-]+)"
)
_BACKTICKS = re.compile(r"`{3,}")
_MARKED_ANCESTORS = 2  # the class that names the language stands on `code`, `pre` or a wrapper
_NO_CODE = frozenset({"button", "style", "script", "template", "svg", "select", "textarea"})
# What highlighters call the numbers that they set before each line, inside the block.
_LINE_NUMBER = re.compile(
    r"(?:^|\s)(?:lineno|linenos|line-?numbers?(?!-)|ln-num|hljs-ln-numbers|gutter)(?:\s|$)"
)
_LINE_PARTS = frozenset({"div", "p", "li", "tr"})
_LINE_CELLS = 2  # a table of lines has the number and the line


def fenced(block: Any) -> str:
    """The text of a ``<pre>`` element as a fenced block, byte for byte; "" where there is none."""
    code = _code_of(block)
    return _fence(code, _language_of(block)) if code.strip() else ""


def code_table(table: Any) -> str | None:
    """The code of a table that highlighters use to set line numbers beside it, fenced; None for other tables.

    Either one cell holds all numbers and another all code, or every row is a number and a line.
    """
    blocks = list(table.iter("pre"))
    if len(blocks) == _LINE_CELLS and re.fullmatch(r"[\d\s]+", blocks[0].text_content()):
        return fenced(blocks[1])
    rows = [row.findall("td") for row in table.iter("tr")]
    if len(rows) < _LINE_CELLS or not all(_is_line(cells) for cells in rows):
        return None
    lines = [_code_of(cells[1]).rstrip("\n") for cells in rows]
    return _fence("\n".join(lines), _language_of(table))


def _is_line(cells: list[Any]) -> bool:
    if len(cells) != _LINE_CELLS or "code" not in (cells[1].get("class") or ""):
        return False
    return re.fullmatch(r"\s*\d*\s*", cells[0].text_content()) is not None


def _code_of(block: Any) -> str:
    code = "".join(_pieces(block)).replace("\r\n", "\n")
    # HTML: a newline right after <pre> is not part of it
    return code[1:] if (block.text or "").startswith("\n") else code


def _pieces(element: Any) -> Iterator[str]:
    """The text below an element with its line breaks; depth is bounded by the parser's."""
    yield element.text or ""
    for child in element:
        tag = child.tag
        if tag == "br":
            yield "\n"
        elif isinstance(tag, str) and tag not in _NO_CODE and not _is_number(child):
            text = "".join(_pieces(child))
            yield text
            if tag in _LINE_PARTS and not text.endswith("\n"):
                yield "\n"
        yield child.tail or ""


def _is_number(element: Any) -> bool:
    return _LINE_NUMBER.search(element.get("class") or "") is not None


def _language_of(block: Any) -> str:
    ancestors = list(block.iterancestors())[:_MARKED_ANCESTORS]
    for element in (*block.iter("code"), block, *ancestors):
        if found := _LANGUAGE.search(element.get("class") or ""):
            return found[1].lower()
    return ""


def _fence(code: str, language: str) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(code)), default=2)
    ticks = "`" * (longest + 1)
    ending = "" if code.endswith("\n") else "\n"
    return f"{ticks}{language}\n{code}{ending}{ticks}"
