"""What can be quoted from a text: whole sentences, items of lists, and short blocks of code."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from textwrap import dedent
from typing import Literal, NamedTuple

from rag_llm_system.application.preprocessing.markdown import code_or_prose

_MIN_CHARS, _MAX_CHARS = 25, 500
_MAX_CODE_LINES = 15

_Kind = Literal["prose", "item", "heading", "code"]

_ABBREVIATIONS = "".join(
    rf"(?<!\b{short}\.)"
    for short in ("[A-Z]", r"e\.g", r"i\.e", "vs", "al", "[DM]r", "Mrs", "No", "Fig")
)
_SENTENCE_END = re.compile(
    rf"(?:(?<=[.!?])|(?<=[.!?][\"')\]\u201d\u2019])|(?<=[.!?]\*\*)|(?<=\[\u2026\])){_ABBREVIATIONS}\s+"
    r"(?=[\"'(\[\u201c\u2018_*`]*[A-Z\u00c0-\u00de0-9]|\[\u2026\])"  # also around a sentence that was left out
)
_ITEM = re.compile(r"\s*(?:\\?[-*+]|[•◦▪‣→↳]|\d{1,3}\\?[.)]|[a-z]\))\s+(?=\S)")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(?P<title>.*?)\s*#*\s*$")
_BOLD_LINE = re.compile(r"\s*\*\*(?P<title>[^*]{1,100})\*\*\s*:?\s*$")
_COMMAND = re.compile(r"`[^`]+`")  # alone in its paragraph
_REMARK = re.compile(
    r"\"\"\"(?P<doc>.*?)\"\"\"|'''(?P<single>.*?)'''|/\*(?P<block>.*?)\*/"
    r"|(?P<line>(?:^[ \t]*(?:#(?!!)|//)[^\n]*\n?)+)",
    re.DOTALL | re.MULTILINE,
)
_COMMENT_MARK = re.compile(r"^\s*(?:#+|//+!?|\*+)?[ \t]?")
SIGNATURE = re.compile(
    r"\s*(?:"
    r"(?:(?:export|default|pub(?:\([^)]*\))?|public|private|protected|internal|static|final|abstract|async|inline"
    r"|override|virtual|unsafe|extern|declare)\s+)*"
    r"(?:def|class|func|function|fn|interface|struct|enum|trait|impl|module|namespace|type|record|protocol)\b"
    r"(?!\s*[:=,.)])"
    r"|(?:export\s+)?(?:const|let|var)\s+[\w$]+\s*=\s*(?:async\s*)?(?:function\b|\([^()]{0,200}\)\s*=>|[\w$]+\s*=>)"
    # C, Java, methods of JavaScript: a name, parameters and a brace
    r"|(?!(?:if|for|while|switch|catch|return|else|with|do|try|case|new|await|foreach)\b)"
    r"(?:[\w<>\[\],.*&:]+\s+){0,8}[*&]?[\w:~$]+\s?\([^;{}]{0,300}\)\s?(?:[\w:<>,. \[\]]{0,100})\{\s*$)"
)
"""Begins the line of a class, a function or the like."""

_CLOSES = re.compile(r"\s*(?:[)}\]{]|end\b)")
_DECORATION = re.compile(r"\s*(?:@|#\[)")
_VALUE = re.compile(
    r"(?:(?:export|const|static|final|let|var|public|private)\s+)*[A-Za-z_$][\w$, ]{0,100}(?::[^=]{1,100})?=[^=]"
)
_BREAK = re.compile(r"\s*(?:\||>?\s*[-*_=]{3}|!\[)")
_MARKS = (
    (re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s\"[^\"\n]*\")?\)"), r"\1"),
    (re.compile(r"\s?\[\^?\d{1,3}\]"), ""),  # a footnote; it would read as a citation of ours
    (re.compile(r"\*\*+|__+|^>\s*"), ""),
    (re.compile(r"(?<![\w*])([*_])(?=\S)([^*_]+?)(?<=\S)\1(?![\w*])"), r"\2"),
    (re.compile(r"\\([-.*_#()\[\]+!])"), r"\1"),
    (re.compile(r"(?<=\S)\s+(?=[,.;:!?](?:\s|$))"), ""),
)


class Sentence(NamedTuple):
    """``text`` is word for word, without Markdown's marks and footnotes.

    ``heading`` is the title, or the question, that stands above; ``paragraph`` counts blocks of text, ``number`` the
    sentences, those that are left out as well. A ``lead`` announces the items or the code that follow it.
    """

    text: str
    kind: Literal["prose", "lead", "item", "code"]
    paragraph: int
    number: int
    heading: str = ""

    def follows(self, before: "Sentence") -> bool:
        """Nothing but a title stands between the two."""
        return self.number == before.number + 1


def sentences(text: str) -> list[Sentence]:
    """Of Markdown, in its order, short blocks of code among them.

    Headings and tables are left out, and questions outside of lists: they answer nothing.
    """
    found: list[Sentence] = []
    heading, number = "", 0
    for paragraph, (kind, block) in enumerate(_blocks(text)):
        if kind == "heading":
            heading = _plain(block)
            continue
        for sentence in [block] if kind == "code" else map(_plain, _SENTENCE_END.split(block)):
            number += 1
            if kind == "prose" and sentence.endswith("?"):
                heading = sentence
            elif sentence_kind := _kind(sentence, kind):
                found.append(Sentence(sentence, sentence_kind, paragraph, number, heading))
    return found


def remarks(code: str) -> list[Sentence]:
    """The sentences of a program's comments and docstrings."""
    lines = (
        _COMMENT_MARK.sub("", line)
        for remark in _REMARK.finditer(code)
        for line in [*remark[remark.lastgroup or 0].splitlines(), ""]
    )
    return [s for s in sentences("\n".join(lines)) if s.kind == "prose"]


def excerpt(code: str, start: int) -> str:
    """Whole lines from the one that holds the character ``start``, as many as an answer has room for."""
    lines = code[code.rfind("\n", 0, start) + 1 :].split("\n")
    return dedent("\n".join(lines[:_MAX_CODE_LINES])).strip("\n")


def definitions(code: str) -> list[tuple[int, str]]:
    """The line, counted from 0, and the first lines of each class and function, and of the values above all of them."""
    lines = code.split("\n")
    starts = [i for i, line in enumerate(lines) if SIGNATURE.match(line)]
    if not starts:
        return []
    spans = [(_with_decorations(lines, i), _end(lines, i)) for i in starts]
    first = spans[0][0]
    opening = ((i, first) for i, line in enumerate(lines[:first]) if _VALUE.match(line))
    spans = [*islice(opening, 1), *spans]
    following = [start for start, _ in spans[1:]] + [len(lines)]
    return [
        (
            start,
            dedent("\n".join(lines[start : min(end, nxt, start + _MAX_CODE_LINES)])).strip("\n"),
        )
        for (start, end), nxt in zip(spans, following, strict=True)
    ]


def _end(lines: Sequence[str], start: int) -> int:
    """Behind the last line to be quoted of what begins at ``start``: of those that are indented more, or close it."""
    margin, end = _margin(lines[start]), min(start + _MAX_CODE_LINES, len(lines))
    for i, line in enumerate(lines[start + 1 : end], start + 1):
        closes = _margin(line) == margin and _CLOSES.match(line)
        if line.strip() and _margin(line) <= margin and not closes:
            return i
    return end


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _with_decorations(lines: Sequence[str], start: int) -> int:
    while start and _DECORATION.match(lines[start - 1]):
        start -= 1
    return start


def _kind(sentence: str, of_block: _Kind) -> Literal["prose", "lead", "item", "code", ""]:
    """ "" for what is no sentence: a caption, a fragment, something endless."""
    if of_block == "code":
        return "code"
    if not 0 < len(sentence) <= _MAX_CHARS:
        return ""
    if of_block == "item":
        return "item"
    if sentence.endswith(":"):
        return "lead"
    ends = sentence.rstrip("\"')]\u201d\u2019").endswith((".", "!"))
    return "prose" if ends and len(sentence) >= _MIN_CHARS else ""


def _blocks(text: str) -> Iterator[tuple[_Kind, str]]:
    """Paragraphs, items and headings, each on one line, and short blocks of code without their fences."""
    for is_code, lines in groupby(code_or_prose(text), itemgetter(0)):
        together = [line for _, line in lines]
        if not is_code:
            for is_blank, paragraph in groupby(together, lambda line: not line.strip()):
                if not is_blank:
                    yield from _of_paragraph(list(paragraph))
        elif code := _code(together):
            yield "code", code


def _code(lines: Sequence[str]) -> str:
    bare = [line for line in lines if not line.lstrip(" \t>").startswith(("```", "~~~"))]
    return dedent("\n".join(bare)).strip("\n") if len(bare) <= _MAX_CODE_LINES else ""


def _of_paragraph(lines: Sequence[str]) -> Iterator[tuple[_Kind, str]]:
    kind: _Kind = "prose"
    waiting: list[str] = []

    def block() -> Iterator[tuple[_Kind, str]]:
        if waiting:
            words = " ".join(map(str.strip, waiting))
            yield ("code", words.strip("`")) if _COMMAND.fullmatch(words) else (kind, words)
            waiting.clear()

    for line in lines:
        if heading := _HEADING.match(line) or _BOLD_LINE.match(line):
            yield from block()
            yield "heading", heading["title"]
            kind = "prose"
        elif _BREAK.match(line):
            yield from block()
            kind = "prose"
        elif item := _ITEM.match(line):
            yield from block()
            kind = "item"
            waiting.append(line[item.end() :])
        else:
            waiting.append(line)
    yield from block()


def _plain(text: str) -> str:
    for mark, replacement in _MARKS:
        text = mark.sub(replacement, text)
    return text.strip()
