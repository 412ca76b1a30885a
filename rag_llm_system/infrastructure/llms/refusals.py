"""What a model server's refusal means to the operator, whatever its protocol."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import (
    BackendError,
    ConfigurationError,
    DataError,
    Overloaded,
    RagSystemError,
)
from rag_llm_system.domain.redaction import MASK, redact

TOO_MANY, UNAVAILABLE = 429, 503
WAITING = frozenset({TOO_MANY, UNAVAILABLE})
_REASON_CHARACTERS = 300
_UNSAID_RETRY_S = 2.0


class Words(Value):
    """How messages call a server, and what they tell the operator to change."""

    server: str
    url_setting: str
    key_setting: str
    way_out: str
    """What to do where there is no server."""


class RefusedQuestion(DataError):
    """The server does not take this question; ``reason`` is what it said."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class NotThere(ConfigurationError):
    """The server does not know the address, or the model."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def refusal(
    status: int, said: bytes, retry_s: float | None, words: Words, key: str
) -> RagSystemError:
    """Our error for an answer that is none; a key that the server repeats is not passed on."""
    reason = reason_of(said, key)
    match status:
        case 401 | 403:
            return ConfigurationError(f"{words.server} refused the key; set {words.key_setting}")
        case 400 | 413 | 422:
            return RefusedQuestion(f"{words.server} refused the question: {reason}", reason)
        case 404:
            return NotThere(
                f"{words.server} answered 404: {reason}; check {words.url_setting}", reason
            )
        case 429:
            return Overloaded(
                f"{words.server} has too many questions: {reason}",
                retry_after_s=_UNSAID_RETRY_S if retry_s is None else retry_s,
            )
        case _:
            return BackendError(
                f"{words.server} answered {status}: {reason}; look at its log, or check {words.url_setting}"
            )


def reason_of(said: bytes | Any, key: str = "") -> str:
    """The reason in an error's body, as one short line without secrets."""
    found = _parsed(said) if isinstance(said, bytes) else said
    while isinstance(found, dict):
        found = next((found[k] for k in ("error", "message", "detail") if found.get(k)), None)
    line = " ".join(str(found).split()) if found else "no reason given"
    return redact(line.replace(key, MASK) if key else line)[:_REASON_CHARACTERS]


def _parsed(said: bytes) -> Any:
    try:
        return json.loads(said)
    except ValueError:
        return said.decode(errors="replace")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, given as a number or a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(value) if value.isdecimal() else _seconds_until(value))
    except (ValueError, OverflowError):
        return None


def _seconds_until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
