"""Cleaners: raw text -> text. Pure, idempotent, and code keeps every byte."""

import html
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

import ftfy

from rag_llm_system.application.preprocessing.boilerplate import are_boilerplate
from rag_llm_system.application.preprocessing.markdown import code_or_prose, outside_inline_code
from rag_llm_system.application.preprocessing.social_formatting import plain_letters, plain_words
from rag_llm_system.domain.documents import Metadata

__all__ = [
    "Cleaner",
    "clean_post",
    "clean_prose",
    "clean_record",
    "code_or_prose",
    "file_facts",
    "keep",
    "repository_kind",
]

Cleaner = Callable[[str], str]

# What one pass uncovers (a doubly escaped entity, a tag within a tag) the next one cleans. Real texts need two;
# one made to need more stays as it is, so that cleaning twice is always cleaning once.
_MAX_PASSES = 8

_TAGS = (
    "a abbr b blockquote br center div em figcaption figure font footer h[1-6] header hr i iframe img li nav ol p "
    "picture section small source span strong sub sup table tbody td th thead tr u ul"
)
_HTML_TAG = re.compile(rf"</?(?:{'|'.join(_TAGS.split())})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_HTML_COMMENT = re.compile(r"<!--[^<>]*-->")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Decoded, these could begin code, a heading or a line.
_KEPT_ESCAPED = frozenset("`~#\n\r\t")
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_SPACES = re.compile(r"(?<=\S)(?:[^\S\n]{2,}|[^\S\n ])")
_PLAIN = re.compile(r"[\t\n\r -~]*")

# Encoding damage only: quotation marks, widths and line breaks are the author's, entities are decoded here.
_DAMAGE = ftfy.TextFixerConfig(
    unescape_html=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    explain=False,
)


def clean_prose(text: str) -> str:
    """Articles: HTML and encoding damage are undone; invisible characters, runs of blanks and boilerplate go."""
    return _settled(text, partial(_cleaned, clean_words=_clean_words, drop=are_boilerplate))


def clean_post(text: str) -> str:
    """Posts: as articles, and social networks' ways of writing become plain words."""
    return _settled(text, partial(_cleaned, clean_words=_clean_posted, drop=are_boilerplate))


def clean_record(text: str) -> str:
    """Films and preferences: as articles, but each line is content, be it a film called "Follow"."""
    return _settled(text, partial(_cleaned, clean_words=_clean_words, drop=_none))


def keep(text: str) -> str:
    """Repositories: a file is what it is."""
    return text


def _settled(text: str, clean: Cleaner) -> str:
    before, after = text, clean(text)
    for _ in range(_MAX_PASSES):
        if after == before:
            return after
        before, after = after, clean(after)
    return text


def _cleaned(
    text: str, clean_words: Cleaner, drop: Callable[[Sequence[str]], Sequence[bool]]
) -> str:
    """One pass over the prose, first its words, then its paragraphs."""
    blocks = list(_blocks(text))
    paragraphs = [
        "" if block.is_code else _without_line_ends(outside_inline_code(block.text, clean_words))
        for block in blocks
    ]
    dropped = drop(paragraphs)
    parts: list[str] = []
    after_blank = False
    for block, paragraph, goes in zip(blocks, paragraphs, dropped, strict=True):
        after_blank = after_blank or block.after_blank
        if goes or not (block.is_code or paragraph):
            after_blank = True
            continue
        if parts:
            parts.append("\n\n" if after_blank else "\n")
        parts.append(block.text if block.is_code else paragraph)
        after_blank = False
    return "".join(parts)


class _Block(NamedTuple):
    """Lines of one paragraph, which a heading may begin, or of code; whether a blank line stands before."""

    is_code: bool
    after_blank: bool
    text: str


_HEADING = re.compile(r" {0,3}#{1,6}\s")


def _blocks(text: str) -> Iterator[_Block]:
    lines: list[str] = []
    of_code = after_blank = False
    for is_code, line in code_or_prose(text):
        blank = not is_code and not line.strip()
        if lines and (blank or is_code != of_code or (not is_code and _HEADING.match(line))):
            yield _Block(of_code, after_blank, "\n".join(lines))
            lines, after_blank = [], False
        after_blank = after_blank or blank
        if not blank:
            lines.append(line)
            of_code = is_code
    if lines:
        yield _Block(of_code, after_blank, "\n".join(lines))


def _without_line_ends(paragraph: str) -> str:
    """No white space at the end of a line, no blank lines at either end."""
    return "\n".join(line.rstrip() for line in paragraph.split("\n")).strip("\n")


def _clean_words(words: str) -> str:
    if not _PLAIN.fullmatch(words):
        words = plain_letters(_INVISIBLE.sub("", ftfy.fix_text(words, _DAMAGE)))
    words = _ENTITY.sub(_decoded, words) if "&" in words else words
    words = _HTML_TAG.sub("", _HTML_COMMENT.sub("", words)) if "<" in words else words
    return _SPACES.sub(" ", words)


def _clean_posted(words: str) -> str:
    return _clean_words(plain_words(_clean_words(words)))


def _decoded(entity: re.Match[str]) -> str:
    character = html.unescape(entity[0])
    return entity[0] if _KEPT_ESCAPED.intersection(character) else character


def _none(paragraphs: Sequence[str]) -> Sequence[bool]:
    return [False] * len(paragraphs)


Kind = Literal["code", "documentation"]

_DOCUMENTATION_LANGUAGES = frozenset({"markdown", "rst", "asciidoc"})
_DOCUMENTATION_NAMES = re.compile(
    r"(?:readme|changelog|changes|history|news|contributing|authors|licen[cs]e|notice|copying|security"
    r"|code_of_conduct|install|faq|todo)(?:[._-].*)?",
    re.IGNORECASE,
)
# Text files that programs read
_MACHINE_READ = re.compile(
    r"(?:requirements|constraints|cmakelists|robots|manifest)\b.*", re.IGNORECASE
)


def repository_kind(path: str, language: str) -> Kind:
    """What a repository's file is to a reader; configuration counts as code."""
    name = PurePosixPath(path).name
    if language in _DOCUMENTATION_LANGUAGES:
        return "documentation"
    if language == "text":
        return "code" if _MACHINE_READ.match(name) else "documentation"
    return "documentation" if not language and _DOCUMENTATION_NAMES.fullmatch(name) else "code"


def file_facts(metadata: Metadata) -> Metadata:
    """What is found out about a file of a repository: whether it is code or documentation."""
    path, language = (str(metadata.get(name, "")) for name in ("source_file", "language"))
    return {"kind": repository_kind(path, language)}
