"""Cuts a page into blocks of text (headings, paragraphs, list items, tables, code) that know where they stood."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from lxml import etree

from rag_llm_system.application.crawlers.code_blocks import code_table, fenced
from rag_llm_system.application.crawlers.extraction.elements import (
    CODE,
    HEADINGS,
    INLINE,
    is_left_out,
    is_permalink,
)
from rag_llm_system.application.crawlers.extraction.tables import is_data, markdown_table

Kind = Literal["heading", "paragraph", "caption", "code", "table"]

QUOTE = ">"
_BREAK = "\x01"  # the page's own control characters are gone
_SPACES = re.compile(r"\s+")
_TRACKER_PX = {"0", "1"}


class Region:
    """An element that holds blocks, within the element that holds it."""

    __slots__ = ("element", "items", "parent", "tag")

    def __init__(self, parent: "Region | None", element: Any) -> None:
        self.parent, self.element, self.tag = parent, element, str(element.tag)
        self.items = 0  # list items so far

    def is_in(self, tag: str) -> bool:
        region: Region | None = self
        while region is not None and region.tag != tag:
            region = region.parent
        return region is not None


class Mark(NamedTuple):
    """A list item or a quote that a block stands in: "-", "2." or ">", its own key, and that of its list."""

    sign: str
    key: int
    of: int


@dataclass(slots=True)
class Block:
    """A piece of text as Markdown, without the marks of the lists and quotes that it stands in, from the outside in."""

    kind: Kind
    text: str
    region: Region
    within: tuple[Mark, ...] = ()
    level: int = 0
    link_chars: int = 0
    images: int = 0


_Before = tuple[Region, tuple[Mark, ...]]


@dataclass
class _Walk:
    """Where the walk over a page stands."""

    region: Region
    blocks: list[Block] = field(default_factory=list)
    within: tuple[Mark, ...] = ()
    pieces: list[str] = field(default_factory=list)
    link_depth: int = 0
    link_chars: int = 0
    code_from: int = -1  # the piece that inline code starts with
    images: int = 0
    keys: int = 0

    def add(self, text: str | None) -> None:
        if text:
            self.pieces.append(text)
            if self.link_depth:
                self.link_chars += len("".join(text.split()))

    def open_code(self) -> bool:
        if self.code_from >= 0:
            return False
        self.code_from = len(self.pieces)
        return True

    def close_code(self) -> None:
        if self.code_from < 0:
            return  # a block began within
        code = "".join(self.pieces[self.code_from :])
        del self.pieces[self.code_from :]
        self.code_from = -1
        self.pieces.append(_inline_code(code))

    def put(self, kind: Kind, text: str, region: Region, *, link_chars: int = 0) -> None:
        level = HEADINGS.get(region.tag, 0) if kind == "heading" else 0
        block = Block(kind, text, region, self.within, level, min(link_chars, len(text)))
        if kind != "caption":  # pictures count for the next text
            block.images, self.images = self.images, 0
        self.blocks.append(block)

    def flush(self) -> None:
        """End the paragraph."""
        raw, links = "".join(self.pieces), self.link_chars
        self.pieces, self.link_chars, self.code_from = [], 0, -1
        if not raw or raw.isspace():
            return
        lines = [line.strip() for line in _SPACES.sub(" ", raw).split(_BREAK)]
        if self.region.tag in HEADINGS:
            text = " ".join(line for line in lines if line)
            if text:
                self.put("heading", text, self.region, link_chars=links)
            return
        kind: Kind = "caption" if self.region.is_in("figcaption") else "paragraph"
        for text in re.split(r"\n{2,}", "\n".join(lines).strip("\n")):
            if text:
                self.put(kind, text, self.region, link_chars=links)
                links = max(0, links - len(text))


def blocks_of(root: Any) -> list[Block]:
    """All text of the page in order, boilerplate included; of scripts, forms' fields and hidden elements nothing.

    The tree is not changed, and its depth costs no stack.
    """
    walk = _Walk(Region(None, root))
    left: list[_Before | str] = []
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        if event == "start":
            entered = _enter(walk, element)
            left.append(entered)
            if entered == "skipped":
                walker.skip_subtree()
            continue
        entered = left.pop()
        if isinstance(entered, tuple):
            walk.flush()
            walk.region, walk.within = entered
        elif entered == "link":
            walk.link_depth -= 1
        elif entered == "code":
            walk.close_code()
        if element is not root:
            walk.add(element.tail)
    walk.flush()
    return walk.blocks


def _enter(walk: _Walk, element: Any) -> _Before | str:
    """Take in the start of an element; what is to be undone at its end."""
    tag = element.tag
    if not isinstance(tag, str) or is_left_out(element):
        return "skipped"
    if tag in INLINE:
        return _enter_inline(walk, element, tag)
    walk.flush()
    if _is_put_whole(walk, element, tag):
        return "skipped"
    before = walk.region, walk.within
    walk.region = Region(walk.region, element)
    if tag in {"li", "blockquote"}:
        walk.keys += 1
        sign = _item_sign(before[0], element) if tag == "li" else QUOTE
        walk.within = (*walk.within, Mark(sign, walk.keys, id(before[0])))
    walk.add(element.text)
    return before


def _enter_inline(walk: _Walk, element: Any, tag: str) -> str:
    if tag == "br":
        walk.pieces.append(_BREAK)
        return ""
    if tag == "img":
        if element.get("width") not in _TRACKER_PX:
            walk.images += 1
        return ""
    entered = ""
    if tag == "a":
        if walk.region.tag in HEADINGS and is_permalink(element):
            return "skipped"
        walk.link_depth += 1
        entered = "link"
    elif tag in CODE and walk.open_code():
        entered = "code"
    walk.add(element.text)
    return entered


def _is_put_whole(walk: _Walk, element: Any, tag: str) -> bool:
    if tag == "table" and (code := code_table(element)) is not None:
        walk.put("code", code, Region(walk.region, element))
        return True
    if tag == "pre":
        if code := fenced(element):
            walk.put("code", code, Region(walk.region, element))
        return True
    if tag == "table" and is_data(element):
        caption, rows, link_chars = markdown_table(element)
        region = Region(walk.region, element)
        if caption:
            walk.put("paragraph", caption, region)
        if rows:
            walk.put("table", rows, region, link_chars=link_chars)
        return True
    return False


def _item_sign(parent: Region, element: Any) -> str:
    """Of a list item: its number in an ordered list, as the page counts, else a dash."""
    holder = element.getparent()
    if holder is None or holder.tag != "ol":
        return "-"
    start = holder.get("start") or ""
    if not parent.items and start.isascii() and start.isdigit():
        parent.items = int(start[:9]) - 1
    parent.items += 1
    return f"{parent.items}."


def _inline_code(code: str) -> str:
    """Between backticks, as many as needed; code of several lines stays as it is."""
    bare = code.strip()
    if not bare or _BREAK in bare:
        return code
    before, after = code[: len(code) - len(code.lstrip())], code[len(code.rstrip()) :]
    ticks = "`" * (max((len(run) for run in re.findall("`+", bare)), default=0) + 1)
    space = " " if len(ticks) > 1 else ""
    return f"{before}{ticks}{space}{bare}{space}{ticks}{after}"
