"""Cleaners: raw text -> text. Pure, idempotent, and code keeps every byte."""

import re
import unicodedata
from collections.abc import Callable, Iterator

Cleaner = Callable[[str], str]

# A fence opens with at least three backticks or tildes and closes with as many of the same.
_FENCE = re.compile(r"^[ ]{0,3}(?P<mark>`{3,}|~{3,})")
_INLINE_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")
_INDENTED_CODE = re.compile(r"^(?: {4,}|\t)(?!\s*(?:[-*+]|\d+[.)])\s)")
_TAGS = (
    "a abbr b blockquote br div em figcaption figure font footer h[1-6] header hr i img li nav ol p "
    "picture section small source span strong sub sup u ul"
)
_HTML_TAG = re.compile(rf"</?(?:{'|'.join(_TAGS.split())})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_HTML_COMMENT = re.compile(r"<!--.*?-->")
_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u200e\u200f\u2060\ufeff]")
_SPACES = re.compile(r"(?<=\S)[ \t\u00a0\u202f]+")
# Whole lines that pages put around an article, never sentences of it.
_BOILERPLATE = re.compile(
    r"^\W*(?:sign in|sign up|log ?in|subscribe(?: now)?|share(?: this post)?|follow|open in app"
    r"|get started|skip to (?:main )?content|accept (?:all )?cookies|leave a comment|read more)\W*$",
    re.IGNORECASE,
)
_HASHTAG = re.compile(r"(?<![\w&/#])(?:hashtag)?#(?=\w*[^\W\d_])(\w+)")


def code_or_prose(text: str) -> Iterator[tuple[bool, str]]:
    """Lines without their ends, each with whether it is code: fenced, or indented after a blank line."""
    fence = ""
    after_blank = True
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if fence:
            yield True, line
            if found and found["mark"].startswith(fence) and not line.strip(" `~\t\r"):
                fence = ""
        elif found:
            fence = found["mark"]
            yield True, line
        else:
            code = after_blank and bool(_INDENTED_CODE.match(line)) and bool(line.strip())
            yield code, line
            after_blank = code or not line.strip()


def clean_prose(text: str) -> str:
    """Articles: HTML remains, invisible characters, runs of blanks and boilerplate lines go."""
    lines = []
    for is_code, line in code_or_prose(text):
        cleaned = line if is_code else _clean_line(line)
        if is_code or not _BOILERPLATE.match(cleaned):
            lines.append(cleaned)
    return _without_blank_runs(lines)


def clean_post(text: str) -> str:
    """Posts: as prose, and letters from the styled Unicode alphabets and hashtags become plain words."""
    lines = [
        line if is_code else _outside_inline_code(line, _plain_words)
        for is_code, line in code_or_prose(text)
    ]
    return clean_prose("\n".join(lines))


def keep(text: str) -> str:
    """Repositories: a file is what it is."""
    return text


def _clean_line(line: str) -> str:
    return _outside_inline_code(line, _clean_words).rstrip()


def _clean_words(words: str) -> str:
    return _SPACES.sub(" ", _INVISIBLE.sub("", _HTML_TAG.sub("", _HTML_COMMENT.sub("", words))))


def _plain_words(words: str) -> str:
    return _HASHTAG.sub(r"\1", unicodedata.normalize("NFKC", words))


def _outside_inline_code(line: str, change: Cleaner) -> str:
    parts, at = [], 0
    for code in _INLINE_CODE.finditer(line):
        parts += [change(line[at : code.start()]), code.group()]
        at = code.end()
    return "".join([*parts, change(line[at:])])


def _without_blank_runs(lines: list[str]) -> str:
    """Blank lines at both ends go, and of several in a row outside code one stays."""
    kept: list[str] = []
    for is_code, line in code_or_prose("\n".join(lines)):
        if is_code or line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip("\n")
