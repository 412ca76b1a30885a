"""What of a value a trace shows: redacted, short, and always JSON."""

import math
import traceback
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from rag_llm_system.domain.redaction import MASK, is_secret_field, redact

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

MAX_TEXT_CHARS = 500
MAX_LIST_ITEMS = 8
MAX_FIELDS = 24
MAX_DEPTH = 4
MAX_FRAMES = 20
# A megabyte is not searched for secrets to show 500 characters of it. A secret that the window cuts in two
# is not recognised, so what lies nearer than a long key to its edge is not shown either.
_WINDOW_CHARS = 1500
_LONGEST_KEY_CHARS = 600


def summarise_fields(fields: Mapping[str, Any] | None) -> dict[str, Json]:
    """Named values as a trace shows them; a field whose name says that it is secret is masked."""
    return _fields(fields or {}, depth=0)


def summarise_text(text: str) -> str:
    """At most ``MAX_TEXT_CHARS`` of a redacted text, followed by the length of the original when it was cut."""
    window = text[:_WINDOW_CHARS]
    shown = redact(window)
    safe = len(shown) if len(text) == len(window) else len(shown) - _LONGEST_KEY_CHARS
    if safe == len(shown) <= MAX_TEXT_CHARS:
        return shown
    return f"{shown[: max(0, min(safe, MAX_TEXT_CHARS))]}... ({len(text)} characters)"


def summarise_error(error: BaseException | str | None) -> dict[str, str] | None:
    """Type, message and frames of an exception; frames carry no source lines, which may hold secrets.

    None for no error, and for the GeneratorExit of a reader that had enough.
    """
    if error is None or isinstance(error, GeneratorExit):
        return None
    if isinstance(error, str):
        return {"exception_type": "Error", "message": summarise_text(error), "traceback": ""}
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    return {
        "exception_type": type(error).__name__,
        "message": summarise_text(str(error)),
        "traceback": "\n".join(f"{f.filename}:{f.lineno} in {f.name}" for f in frames),
    }


def _summarise(value: Any, *, depth: int) -> Json:
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case str():
            return summarise_text(value)
        case Mapping() | list() | tuple() if depth == MAX_DEPTH:
            return f"{type(value).__name__} of {len(value)}"
        case Mapping():
            return _fields(value, depth=depth)
        case list() | tuple():
            return _items(value, depth=depth)
        case _:
            return type(value).__name__


def _fields(fields: Mapping[Any, Any], *, depth: int) -> dict[str, Json]:
    shown = {
        summarise_text(str(name)): (
            MASK if is_secret_field(str(name), value) else _summarise(value, depth=depth + 1)
        )
        for name, value in islice(fields.items(), MAX_FIELDS)
    }
    if len(fields) > MAX_FIELDS:
        shown["..."] = f"{len(fields)} fields"
    return shown


def _items(items: Sequence[Any], *, depth: int) -> list[Json]:
    shown = [_summarise(item, depth=depth + 1) for item in items[:MAX_LIST_ITEMS]]
    return [*shown, f"... ({len(items)} items)"] if len(items) > MAX_LIST_ITEMS else shown
