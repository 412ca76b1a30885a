"""What a server with OpenAI's protocol sends: pieces of an answer, or why there is none."""

import json
import textwrap
from collections.abc import Callable
from typing import Any

import httpx

from rag_llm_system.domain.errors import (
    BackendError,
    ConfigurationError,
    DataError,
    Overloaded,
    RagSystemError,
)
from rag_llm_system.infrastructure.local.pending import PendingAnswer

_LONGEST_REASON = 200
"""Characters of the other server's message that are worth repeating."""

_LONGEST_WAIT_S = 60.0
_REASONS = {"length": "length"}
"""Its words for how an answer ended to ours; all others, such as "tool_calls", are an end like any."""


class Answer:
    """Tells the listener what comes, line by line; calls ``begun`` before the first piece."""

    def __init__(self, listener: PendingAnswer, begun: Callable[[], None]) -> None:
        self._listener = listener
        self._begun = begun
        self._reason = ""
        self._usage: dict[str, Any] = {}
        self._pieces = 0
        self.has_begun = False

    def add(self, line: str) -> None:
        """Raises BackendError for what is no part of an answer."""
        field, _, value = line.partition(":")
        if field != "data" or value.strip() == "[DONE]":
            return
        chunk = _object(value)
        if "error" in chunk:
            raise BackendError(f"the model server failed: {_reason(chunk)}")
        if not self.has_begun:
            self.has_begun = True
            self._begun()
        self._usage = chunk.get("usage") or self._usage
        for choice in (chunk.get("choices") or [])[:1]:
            if piece := (choice.get("delta") or {}).get("content"):
                self._pieces += 1
                self._listener.text(piece)
            if reason := choice.get("finish_reason"):
                self._reason = _REASONS.get(reason, "stop")

    def end(self) -> None:
        """No more comes: the answer is whole, or was broken off."""
        if self._reason:
            self._done(self._reason)
        else:
            self._listener.failed(
                BackendError("the model server ended the answer early; look at its log")
            )

    def cancelled(self) -> None:
        self._done("cancelled")

    def _done(self, reason: str) -> None:
        # a server that does not count sends a token at a time, near enough
        written = self._usage.get("completion_tokens", self._pieces)
        self._listener.done(reason, self._usage.get("prompt_tokens", 0), written)


def refusal(response: httpx.Response, shown: str, model_id: str) -> RagSystemError:
    """The error for an answer whose body was read and whose status is not 200."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    said = _reason(body if isinstance(body, dict) else {})
    status = response.status_code
    if status in (400, 413, 422):
        return DataError(f"the model server refused the request: {said}")
    if status in (401, 403):
        return ConfigurationError(
            f"{shown} refused the key, or wants one; set INFERENCE_UPSTREAM_API_KEY"
        )
    if status == 404:
        return ConfigurationError(f"{shown} has no model {model_id!r} ({said}); name another")
    if status in (429, 503):
        return Overloaded(f"{shown} takes no more now: {said}", retry_after_s=_wait_s(response))
    return BackendError(f"{shown} answered {status}: {said}")


def _wait_s(response: httpx.Response) -> float:
    wanted = response.headers.get("retry-after", "")
    return min(float(wanted), _LONGEST_WAIT_S) if wanted.isdecimal() else 2.0


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise BackendError(f"the model server sent what is no JSON: {text[:80]!r}") from error
    if not isinstance(value, dict):
        raise BackendError(f"the model server sent no JSON object: {text[:80]!r}")
    return value


def _reason(body: dict[str, Any]) -> str:
    """OpenAI nests it, vLLM and others do not always."""
    error = body.get("error", body)
    said = error.get("message") if isinstance(error, dict) else error
    return textwrap.shorten(str(said or "no reason"), _LONGEST_REASON)
