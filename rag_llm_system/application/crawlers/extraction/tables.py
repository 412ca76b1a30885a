"""Tables of data as Markdown; tables that only place things on the page are told from them."""

import re
from typing import Any

from rag_llm_system.application.crawlers.extraction.elements import CODE, INLINE, is_left_out

_HOLDS_A_PAGE = ("table", "h1", "h2", "h3", "form", "article", "section", "main", "nav")
_PARTS = ("ul", "ol", "p", "div", "blockquote")
_LONG_PART_CHARS = 400  # a cell of a data table holds a note; one of a layout holds paragraphs
_MAX_COLUMNS = (
    100  # rows are not filled up beyond: what a page says in a few bytes must not become megabytes
)


def is_data(table: Any) -> bool:
    """Does the table hold rows and columns, rather than the layout of a page?"""
    if table.get("role") in {"presentation", "none"}:
        return False
    columns = rows = 0
    for element in table.iterdescendants():
        tag = element.tag
        if tag in _HOLDS_A_PAGE:
            return False
        if tag in _PARTS and len(element.text_content()) > _LONG_PART_CHARS:
            return False
        if tag == "tr":
            rows += 1
            columns = max(columns, len(element))
    return rows >= 1 and columns > 1


def markdown_table(table: Any) -> tuple[str, str, int]:
    """Caption, rows as Markdown, and how many characters of them are links.

    The first row is the header, as Markdown demands one. A cell over several columns is followed by empty ones.
    """
    rows = [_cells(row) for row in table.iter("tr")]
    rows = [row for row in rows if any(row)]
    caption = " ".join(" ".join(each.text_content().split()) for each in table.iter("caption"))
    if not rows:
        return caption, "", 0
    width = min(_MAX_COLUMNS, max(map(len, rows)))
    lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * width)
    link_chars = sum(len("".join(link.text_content().split())) for link in table.iter("a"))
    return caption, "\n".join(lines), link_chars


def _cells(row: Any) -> list[str]:
    cells = []
    for cell in row.iterchildren("td", "th"):
        cells.append(_cell(cell))
        span = cell.get("colspan") or "1"
        if span.isascii() and span.isdigit():
            cells.extend([""] * min(int(span[:9]) - 1, _MAX_COLUMNS - len(cells)))
    return cells


def _cell(cell: Any) -> str:
    """One line; inline code keeps its marks and a bar is no border."""
    pieces: list[str] = []
    _collect(cell, pieces)
    text = " ".join("".join(pieces).split())
    return re.sub(r"(?<!\\)\|", r"\\|", text)


def _collect(element: Any, pieces: list[str]) -> None:
    """Depth is bounded by the parser's."""
    tag = element.tag
    if not isinstance(tag, str) or is_left_out(element):
        return
    if tag in CODE:
        code = " ".join(element.text_content().split())
        pieces.append(f"`{code}`" if code and "`" not in code else code)
        return
    pieces.append(element.text or "")
    for child in element:
        gap = "" if child.tag in INLINE and child.tag != "br" else " "
        pieces.append(gap)
        _collect(child, pieces)
        pieces.append(gap)
        pieces.append(child.tail or "")
