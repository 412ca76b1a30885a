"""One request to an engine: what is asked, who hears of it, and how its tokens become text."""

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import Overloaded, RagSystemError
from rag_llm_system.model.inference.grounded_decoding import Grounding
from rag_llm_system.model.inference.text_pieces import TextPieces

GREEDY_BELOW = 1e-3
"""A temperature under this divides by almost nothing; the likeliest token is taken instead."""


class EngineFull(Overloaded, queue.Full):
    """The queue takes no more requests; a server that does not know this module catches ``queue.Full``."""


class EngineStats(Value):
    """How busy an engine is. ``waiting`` requests have not begun."""

    running: int
    waiting: int
    max_waiting: int


class Listener(Protocol):
    """Is told of one generation, from the engine's thread: pieces of text, then ``done`` or ``failed``.

    Must not raise, and not hold the thread for long: others wait for it.
    """

    def text(self, piece: str) -> None: ...

    def done(self, reason: str, prompt_tokens: int, completion_tokens: int) -> None:
        """``reason`` is "stop", "length" or "cancelled"."""

    def failed(self, error: RagSystemError) -> None: ...


@dataclass(frozen=True, eq=False)
class Generation:
    """A request that was taken; ``cancel`` ends it after the token in work, or before it starts."""

    prompt_ids: Sequence[int]
    max_new_tokens: int
    temperature: float
    top_p: float
    stop: tuple[str, ...]
    listener: Listener
    grounding: Grounding | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        self.cancelled.set()

    @property
    def is_greedy(self) -> bool:
        return self.temperature < GREEDY_BELOW

    @property
    def length(self) -> int:
        """Tokens of the prompt and of the longest answer."""
        return len(self.prompt_ids) + self.max_new_tokens


class Writing:
    """Turns the tokens of one generation into text for its listener, and sees where the answer ends."""

    def __init__(self, tokenizer: Any, generation: Generation, stop_ids: frozenset[int]) -> None:
        self._pieces = TextPieces(tokenizer, generation.stop)
        self._generation = generation
        self._stop_ids = stop_ids
        self._reason = ""
        self.tokens = 0

    @property
    def has_ended(self) -> bool:
        return bool(self._reason) or self._generation.cancelled.is_set()

    def add(self, token_id: int) -> None:
        self.tokens += 1
        if token_id in self._stop_ids:
            self._reason = "stop"
            return
        self._send(self._pieces.add(token_id))
        if self._pieces.stopped:
            self._reason = "stop"
        elif self.tokens >= self._generation.max_new_tokens:
            self._reason = "length"

    def end(self) -> None:
        """Sends what waited for a stop string, and says how the answer ended."""
        reason = self._reason or "cancelled"
        if reason != "cancelled":
            self._send(self._pieces.rest())
        self._generation.listener.done(reason, len(self._generation.prompt_ids), self.tokens)

    def _send(self, piece: str) -> None:
        if piece and not self._generation.cancelled.is_set():
            self._generation.listener.text(piece)
