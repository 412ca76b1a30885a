"""Carries the code of a page unchanged through article extraction, which drops blank lines and indentation."""

import re
from typing import Any

_LANGUAGE = re.compile(r"(?:^|\s)(?:language-|lang-|highlight-source-|brush:\s*)([\w+#-]+)")
_BACKTICKS = re.compile(r"`{3,}")
_MARKED_ANCESTORS = 2  # the class that names the language stands on `code`, `pre` or a wrapper


def lift_code(tree: Any, key: str) -> list[str]:
    """Replace each ``<pre>`` of an lxml tree by a paragraph with a mark, and return the blocks as fenced Markdown.

    ``key`` must not occur in the page.
    """
    _unwrap_numbered_lines(tree)
    fences: list[str] = []
    for block in list(tree.iter("pre")):
        if next(block.iterancestors("pre", "table"), None) is not None:
            continue  # a cell of a table stays in its table
        code = _code_of(block)
        if code.strip():
            mark = tree.makeelement("p")
            mark.text, mark.tail = f"{key}n{len(fences)}e", block.tail
            fences.append(_fence(code, _language_of(block)))
            block.getparent().replace(block, mark)
    return fences


def put_code(text: str, key: str, fences: list[str]) -> str:
    """Markdown with the marks replaced by their blocks, each between blank lines."""
    pieces = re.split(rf"{key}n(\d+)e", text)
    blocks = [
        fences[int(piece)] if position % 2 else piece.strip("\n ")
        for position, piece in enumerate(pieces)
    ]
    return "\n\n".join(block for block in blocks if block)


def _unwrap_numbered_lines(tree: Any) -> None:
    """Highlighters set line numbers beside code with a table of two blocks; only the second is code."""
    for table in list(tree.iter("table")):
        blocks = list(table.iter("pre"))
        if len(blocks) == 2 and re.fullmatch(r"[\d\s]+", blocks[0].text_content()):
            blocks[1].tail = table.tail
            table.getparent().replace(table, blocks[1])


def _code_of(block: Any) -> str:
    for button in list(block.iter("button")):
        button.drop_tree()
    for line_break in block.iter("br"):
        line_break.tail = "\n" + (line_break.tail or "")
    code = str(block.text_content()).replace("\r\n", "\n")
    # HTML: a newline right after <pre> is not part of it
    return code[1:] if (block.text or "").startswith("\n") else code


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
