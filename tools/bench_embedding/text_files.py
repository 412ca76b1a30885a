"""Texts as JSON lines, ``{"text": ...}`` each: what is raced on, and what goes to a contender's process."""

import json
from collections.abc import Iterable
from pathlib import Path

from rag_llm_system.domain.errors import DataError, MissingFile


def read_texts(path: Path) -> list[str]:
    """At least one; other fields may stand beside the text. Raises MissingFile, or DataError naming the line."""
    if not path.is_file():
        raise MissingFile(f'{path} is not there; name a file of lines such as {{"text": "..."}}')
    with path.open(encoding="utf-8") as lines:
        texts = [_text(path, number, line) for number, line in enumerate(lines, start=1)]
    if not texts:
        raise DataError(f"{path} holds no text")
    return texts


def write_texts(path: Path, texts: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as lines:
        lines.writelines(f"{json.dumps({'text': text})}\n" for text in texts)


def _text(path: Path, number: int, line: str) -> str:
    try:
        text = json.loads(line)["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f'{path}:{number} is no object such as {{"text": "..."}}') from error
    if not isinstance(text, str):
        raise DataError(f"{path}:{number}: text is no string")
    return text
