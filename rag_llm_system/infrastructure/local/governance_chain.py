"""How lines of the governance log are chained: each has the hash of the one before it and ends with its own."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rag_llm_system.domain.documents import Value

FIRST = "0" * 64
"""What the first line has for the hash of the line before it."""

INFERENCE, TORN, CUT = "inference", "torn", "cut"
"""Events: a record; a line before it that a crash left unfinished; lines before it that the head knew and are gone."""

# The hash covers the bytes before it as they are: to write the same values in another way is an edit too.
_LINE = re.compile(rb"(?P<body>\{.*),\"hash\":\"(?P<hash>[0-9a-f]{64})\"\}", re.DOTALL)


class Link(Value):
    """A line of the chain, as far as the chain is concerned. ``edited``: its hash is not that of its bytes."""

    n: int
    event: str
    timestamp: datetime
    previous: str
    hash: str
    edited: bool
    details: Mapping[str, Any]


class Head(Value):
    """The end of the chain, kept beside the log: without it nobody could tell that the last lines were cut off."""

    records: int
    hash: str


def sealed(n: int, event: str, previous: str, fields: Mapping[str, Any]) -> tuple[bytes, str]:
    """The line with its line end, and its hash."""
    values = {"n": n, "event": event, **fields, "previous": previous}
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    # half a surrogate pair has no UTF-8; escaped, it is still JSON
    body = text.encode("utf-8", "backslashreplace")
    digest = hashlib.sha256(body).hexdigest()
    return body[:-1] + f',"hash":"{digest}"}}\n'.encode(), digest


def opened(line: bytes) -> Link | None:
    """A line without its line end; None for what is no line of a chain."""
    match = _LINE.fullmatch(line)
    if not match:
        return None
    body = match["body"] + b"}"
    try:
        values = json.loads(body)
        return Link(
            n=values.pop("n"),
            event=values.pop("event"),
            timestamp=values.pop("timestamp"),
            previous=values.pop("previous"),
            hash=match["hash"].decode(),
            edited=hashlib.sha256(body).hexdigest() != match["hash"].decode(),
            details=values,
        )
    except (ValueError, KeyError, RecursionError):  # ValidationError is a ValueError
        return None


def head_path(log: Path) -> Path:
    return log.with_name(f"{log.name}.head")


def read_head(log: Path) -> Head | None:
    """None where there is none, or none that can be read."""
    try:
        return Head.model_validate_json(head_path(log).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
