"""Puts blocks together as Markdown."""

import re
from collections.abc import Iterable

from rag_llm_system.application.crawlers.extraction.blocks import QUOTE, Block, Mark


def markdown_of(blocks: Iterable[Block]) -> str:
    """One text: blank lines between blocks, none between the items of a list.

    Code stands at the left margin also within lists and quotes, so that it stays as it was.
    """
    pieces: list[str] = []
    shown: set[int] = set()
    before: Block | None = None
    for block in blocks:
        if before is not None:
            pieces.append(_gap(before, block))
        pieces.append(_marked(block, shown))
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


def _gap(before: Block, block: Block) -> str:
    """Between two blocks: items follow line by line, and a quote goes on through the blank line."""
    shared = [
        old for old, new in zip(before.within, block.within, strict=False) if old.key == new.key
    ]
    if "code" not in (before.kind, block.kind):
        if _next_item(before, block, len(shared)):
            return "\n"
        if any(mark.sign == QUOTE for mark in shared):
            return f"\n{_again(shared).rstrip()}\n"
    return "\n\n"


def _next_item(before: Block, block: Block, shared: int) -> bool:
    """Does the block start the next item of a list, or a list within the item before?"""
    if shared == len(block.within) or block.within[shared].sign == QUOTE:
        return False
    if shared == len(before.within):
        return bool(before.within) and before.within[-1].sign != QUOTE
    return before.within[shared].of == block.within[shared].of


def _marked(block: Block, shown: set[int]) -> str:
    if block.kind == "code":
        return block.text
    first = "".join(_sign(mark, shown) for mark in block.within)
    text = f"{'#' * block.level} {block.text}" if block.kind == "heading" else block.text
    return first + text.replace("\n", "\n" + _again(block.within))


def _sign(mark: Mark, shown: set[int]) -> str:
    """An item's own sign comes once, then as many spaces."""
    if mark.sign == QUOTE or mark.key not in shown:
        shown.add(mark.key)
        return f"{mark.sign} "
    return _again([mark])


def _again(marks: Iterable[Mark]) -> str:
    return "".join("> " if mark.sign == QUOTE else " " * (len(mark.sign) + 1) for mark in marks)
