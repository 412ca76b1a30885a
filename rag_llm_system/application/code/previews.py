"""One line that says what a piece of code is."""

import re

from rag_llm_system.application.rag.quotable import SIGNATURE

PREVIEW_CHARS = 100

_ASIDE = re.compile(
    r"\"\"\".*?\"\"\"|'''.*?'''|/\*.*?\*/|<!--.*?-->|^\s*(?:from\s+\S+\s+)?import\s*[({][^(){}]*[)}]",
    re.DOTALL | re.MULTILINE,
)
"""Docstrings, comments and imports of several lines."""

_SAYS_LITTLE = re.compile(
    r"\W*$|[#@*]|//|/\*|--|\"\"\"|'''|<!--|#!|[rR]?\"|(?:import|from|use|using|package|require|include)\b"
)


def preview(code: str) -> str:
    """The first line with a signature, or else the first that is no comment, import or decoration; "" for blanks."""
    lines = [" ".join(line.split()) for line in code.splitlines()]
    bare = (" ".join(line.split()) for line in _ASIDE.sub("", code).splitlines())
    said = [line for line in bare if line and not _SAYS_LITTLE.match(line)]
    signatures = (line for line in said if SIGNATURE.match(line))
    chosen = next(signatures, None) or next(iter(said or filter(None, lines)), "")
    return chosen if len(chosen) <= PREVIEW_CHARS else chosen[: PREVIEW_CHARS - 1] + "…"
