"""Puts blocks together as Markdown."""

import re
from collections.abc import Iterable

from rag_llm_system.application.crawlers.extraction.blocks import Block


def markdown_of(blocks: Iterable[Block]) -> str:
    """One text: blank lines between blocks, none between the items of a list.

    Code stands at the left margin also within lists and quotes, so that it stays as it was.
    """
    pieces: list[str] = []
    seen: set[int] = set()
    before: Block | None = None
    for block in blocks:
        if before is not None:
            pieces.append(_gap(before, block, seen))
        pieces.append(_marked(block, seen))
        before = block
    return "".join(pieces)


def without_opening(text: str, *shown_elsewhere: str) -> str:
    """The text without a first heading or paragraph that repeats what is shown elsewhere: title, then subtitle."""
    for part in shown_elsewhere:
        opening, _, rest = text.partition("\n\n")
        if part and _words(opening) == _words(part):
            text = rest
    return text.strip("\n")


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text)).casefold()


def _gap(before: Block, block: Block, seen: set[int]) -> str:
    """Between two blocks: items follow line by line, and a quote goes on through the blank line."""
    shared = 0
    for old, new in zip(before.within, block.within, strict=False):
        if old != new:
            break
        shared += 1
    if "code" not in (before.kind, block.kind):
        starts_item = any(
            mark != "quote" and key not in seen for mark, key in block.within[shared:]
        )
        if starts_item and any(mark != "quote" for mark, _ in before.within) and block.within:
            return "\n"
        if any(mark == "quote" for mark, _ in block.within[:shared]):
            return f"\n{_prefix(block.within[:shared], seen).rstrip()}\n"
    return "\n\n"


def _marked(block: Block, seen: set[int]) -> str:
    if block.kind == "code":
        return block.text
    first = _prefix(block.within, seen)
    rest = _prefix(block.within, seen)
    text = f"{'#' * block.level} {block.text}" if block.kind == "heading" else block.text
    return first + text.replace("\n", "\n" + rest)


def _prefix(within: tuple[tuple[str, int], ...], seen: set[int]) -> str:
    """The marks a line starts with; an item's own mark comes once, then as many spaces."""
    marks = []
    for mark, key in within:
        if mark == "quote":
            marks.append("> ")
        elif key in seen:
            marks.append(" " * (len(mark) + 1))
        else:
            seen.add(key)
            marks.append(mark + " ")
    return "".join(marks)
