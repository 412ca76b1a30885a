"""Where source code may be cut: the lines at which definitions and statements begin, read by tree-sitter."""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NamedTuple

from tree_sitter import Language, Node, Parser, Tree, TreeCursor

from rag_llm_system.application.preprocessing.definitions import definition_name, signature
from rag_llm_system.application.preprocessing.spans import Span

GRAMMARS: dict[str, tuple[str, ...]] = {
    "bash": ("tree_sitter_bash:language",),
    # ".h" may be either, and TypeScript may hold JSX: the first grammar that finds no errors counts.
    "c": ("tree_sitter_c:language", "tree_sitter_cpp:language"),
    "cpp": ("tree_sitter_cpp:language",),
    "csharp": ("tree_sitter_c_sharp:language",),
    "go": ("tree_sitter_go:language",),
    "java": ("tree_sitter_java:language",),
    "javascript": ("tree_sitter_javascript:language",),
    "php": ("tree_sitter_php:language_php",),
    "python": ("tree_sitter_python:language",),
    "ruby": ("tree_sitter_ruby:language",),
    "rust": ("tree_sitter_rust:language",),
    "shell": ("tree_sitter_bash:language",),
    "typescript": (
        "tree_sitter_typescript:language_typescript",
        "tree_sitter_typescript:language_tsx",
    ),
}
"""Language, as crawlers name it, to the module and function of its grammars; each is imported when first met."""

# A file of 5 MB takes about a second. Recovery from errors can take time and memory that grow with the square of the
# length (200 kB of "<" as bash: 50 s and 5 GB), so it is given up; processor time, as a busy machine is no reason.
_MAX_PARSE_CPU_S = 5.0
_READ_BYTES = 1 << 16

# What stands directly above a definition or statement belongs to it.
_ATTACHED = frozenset(
    {"comment", "line_comment", "block_comment", "decorator", "attribute_item", "attribute_list"}
)
# Around one definition, and named as it is
_WRAPPERS = frozenset({"decorated_definition", "export_statement", "template_declaration"})
# Sequences of statements: begin where the first of them begins
_SEQUENCES = frozenset({"block", "block_body", "body_statement", "statement_list", "then"})
_IMPORTS = frozenset(
    {
        "import_statement", "import_from_statement", "import_declaration", "use_declaration", "using_directive",
        "namespace_use_declaration",
    }
)  # fmt: skip
# Deeper than people nest. Trees of generated files may be as deep as the file is long: their insides are cut by lines.
_MAX_TREE_DEPTH = 200
_MAX_NESTED_DEFINITIONS = 16
_CLOSERS = " \t\r\n})];,"


@dataclass(slots=True)
class Block:
    """Lines ``[first, last]`` of a definition or statement; ``after`` is the index behind the blocks within it.

    ``name`` and ``signature`` are "" for statements; ``parent`` is the index of the definition around it, or -1.
    """

    first: int
    last: int
    after: int = 0
    name: str = ""
    parent: int = -1
    signature: str = ""


class Outline:
    """The blocks of a file in the order of their first lines, outer before inner.

    ``imports`` are the lines, first and last, of each import that stands outside of definitions.
    """

    def __init__(
        self, text: str, blocks: Sequence[Block], imports: Sequence[tuple[int, int]] = ()
    ) -> None:
        self._text = text
        self.blocks = blocks
        self.imports = imports
        self.lines = [0]
        for line in text.split("\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)
        self.lines[-1] = len(text)
        self._definitions = [index for index, block in enumerate(blocks) if block.name]
        self._first_lines = [blocks[index].first for index in self._definitions]

    def tiles(self, span: Span, index: int) -> Iterator[tuple[Span, int]]:
        """The blocks directly within block ``index`` (-1: the file), each up to the next; they tile ``span``.

        What stands before the first of them has the index -1.
        """
        at = index + 1
        end = len(self.blocks) if index < 0 else self.blocks[index].after
        start, owner = span[0], -1
        while at < end:
            first = self.lines[self.blocks[at].first]
            if first > start:
                yield (start, first), owner
                start = first
            owner, at = at, self.blocks[at].after
        yield (start, span[1]), owner

    def defines(self, index: int) -> bool:
        return index >= 0 and bool(self.blocks[index].name)

    def has_inner(self, index: int) -> bool:
        return index >= 0 and self.blocks[index].after > index + 1

    def symbol(self, span: Span) -> str:
        """The innermost definition that holds all of the span, or else the first that begins in it, or else the one
        that it begins in; "" when there is none."""
        start, end = span
        end = start + len(self._text[start:end].rstrip(_CLOSERS))  # braces of what is around
        first, last = self._lines_of((start, end))
        inside = self._around(self._last_begun(first), first)
        holds_all = self._around(inside, last)
        if holds_all >= 0:
            return self._path(holds_all)
        begins = bisect_left(self._first_lines, first)
        if begins < len(self._first_lines) and self._first_lines[begins] <= last:
            return self._path(self._definitions[begins])
        return self._path(inside)

    def symbols(self, span: Span) -> tuple[str, ...]:
        """Every definition that begins in the span or is around it, by path and by name: ``Store.save``, ``save``."""
        first, last = self._lines_of(span)
        start, end = bisect_left(self._first_lines, first), bisect_right(self._first_lines, last)
        paths = [self._path(i) for i in (*self._enclosing(first), *self._definitions[start:end])]
        return tuple(dict.fromkeys([*paths, *(path.rpartition(".")[2] for path in paths)]))

    def around(self, span: Span) -> tuple[str, ...]:
        """The signatures of the definitions that the span begins in and does not show, outermost first."""
        first, _ = self._lines_of(span)
        return tuple(self.blocks[index].signature for index in self._enclosing(first))

    def _enclosing(self, line: int) -> list[int]:
        """The definitions that began above the line and have not ended, outermost first."""
        index = self._around(self._last_begun(line - 1), line)
        found: list[int] = []
        while index >= 0:
            found.append(index)
            index = self.blocks[index].parent
        return found[::-1]

    def _lines_of(self, span: Span) -> tuple[int, int]:
        """The first and the last line of a span, counted from 0."""
        first = bisect_right(self.lines, span[0]) - 1
        return first, max(first, bisect_left(self.lines, span[1]) - 1)

    def _last_begun(self, line: int) -> int:
        """The definition that begins last at or before the line, or -1."""
        position = bisect_right(self._first_lines, line) - 1
        return self._definitions[position] if position >= 0 else -1

    def _around(self, index: int, line: int) -> int:
        while index >= 0 and self.blocks[index].last < line:
            index = self.blocks[index].parent
        return index

    def _path(self, index: int) -> str:
        names: list[str] = []
        while index >= 0:
            names.append(self.blocks[index].name)
            index = self.blocks[index].parent
        return ".".join(reversed(names))


def outline_of(text: str, language: str) -> Outline | None:
    """None when there is no grammar of the language, or the file takes too long to parse."""
    source = text.encode("utf-8", "replace")
    best: Tree | None = None
    for path in GRAMMARS.get(language, ()):
        tree = _parsed(source, path)
        if tree and (best is None or not tree.root_node.has_error):
            best = tree
        if best and not best.root_node.has_error:
            break
    return _read(best, text, source) if best else None


def _parsed(source: bytes, path: str) -> Tree | None:
    module, _, function = path.partition(":")
    language = Language(getattr(import_module(module), function)())
    end = time.thread_time() + _MAX_PARSE_CPU_S
    try:
        return Parser(language).parse(
            lambda offset, _: source[offset : offset + _READ_BYTES],
            progress_callback=lambda *_: time.thread_time() > end,
        )
    except ValueError:  # cancelled
        return None


def _read(tree: Tree, text: str, source: bytes) -> Outline:
    walk = _Walk(source)
    cursor = tree.walk()
    while True:
        if walk.enters(cursor) and cursor.goto_first_child():
            walk.down()
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return Outline(text, walk.finished(), walk.imports)
            walk.up()


class _Open(NamedTuple):
    """A block around the cursor: its depth in the tree, its index, its node's line, whether it is a wrapper."""

    depth: int
    block: int
    line: int
    wraps: bool


class _Walk:
    """Collects the nodes that begin a line, as a cursor meets them."""

    def __init__(self, source: bytes) -> None:
        self.imports: list[tuple[int, int]] = []
        self._source = source
        self._indents = [len(line) - len(line.lstrip()) for line in source.split(b"\n")]
        self._blocks: list[Block] = []
        self._open: list[_Open] = []
        # For each depth, the lines of the comments and decorators just passed
        self._above: list[tuple[int, int] | None] = [None]
        self._handed_down: tuple[int, int] | None = None

    def down(self) -> None:
        self._above.append(self._handed_down)

    def up(self) -> None:
        self._above.pop()

    def finished(self) -> list[Block]:
        self._close(0)
        return self._blocks

    def enters(self, cursor: TreeCursor) -> bool:
        """Note the node at the cursor; whether to look into it, which a node on one line is not worth."""
        node, depth = cursor.node, len(self._above)
        if node is None:
            return False
        self._close(depth)
        (line, column), (last, end_column) = node.start_point, node.end_point
        last -= last > line and end_column == 0
        above, self._handed_down = self._above[-1], None
        if node.type in _SEQUENCES:
            self._handed_down = above
        else:
            begins_line = column <= self._indents[line] and node.is_named and depth > 1
            start = above[0] if above and begins_line and above[1] == line - 1 else line
            attached = begins_line and node.type in _ATTACHED
            self._above[-1] = (start, last) if attached else None
            if node.type in _IMPORTS and not any(self._blocks[o.block].name for o in self._open):
                self.imports.append((line, last))
            self._note(
                node, _Open(depth, -1, line, node.type in _WRAPPERS), (start, last), begins_line
            )
        return last > line and depth < _MAX_TREE_DEPTH

    def _note(self, node: Node, place: _Open, lines: tuple[int, int], begins_line: bool) -> None:
        name = definition_name(node)
        outer = self._open[-1] if self._open else None
        if outer and (
            outer.line == place.line
            or self._blocks[outer.block].first == lines[0]
            or (outer.wraps and name and place.depth == outer.depth + 1)
        ):
            if name and not self._blocks[outer.block].name:
                self._name(outer.block, name, node, self._open[:-1])
        elif begins_line:
            # comments above have become part of this block
            while self._blocks and self._blocks[-1].first >= lines[0]:
                self._blocks.pop()
            self._blocks.append(Block(*lines))
            index = len(self._blocks) - 1
            if name:
                self._name(index, name, node, self._open)
            self._open.append(place._replace(block=index))

    def _name(self, index: int, name: str, node: Node, around: Sequence[_Open]) -> None:
        named = [place.block for place in around if self._blocks[place.block].name]
        if len(named) < _MAX_NESTED_DEFINITIONS:
            self._blocks[index].name = name
            self._blocks[index].signature = signature(node, self._source)
            self._blocks[index].parent = named[-1] if named else -1

    def _close(self, depth: int) -> None:
        while self._open and self._open[-1].depth >= depth:
            self._blocks[self._open.pop().block].after = len(self._blocks)
