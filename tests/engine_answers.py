"""Asks an engine and hears its answer, for tests."""

import queue
import threading
from typing import Any

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import RagSystemError

WAIT_S = 20
QUESTION = [Message(role="user", content="Where are the vectors kept?")]


class Heard:
    """Collects one answer; ``go`` holds the engine in its first piece until it is set."""

    def __init__(self, *, go: threading.Event | None = None) -> None:
        self.pieces: list[str] = []
        self.started = threading.Event()
        self._go = go
        self._end: queue.Queue[tuple[str, int, int] | RagSystemError] = queue.Queue()

    def text(self, piece: str) -> None:
        self.pieces.append(piece)
        self.started.set()
        if self._go:
            assert self._go.wait(WAIT_S)

    def done(self, reason: str, prompt_tokens: int, completion_tokens: int) -> None:
        self._end.put((reason, prompt_tokens, completion_tokens))

    def failed(self, error: RagSystemError) -> None:
        self._end.put(error)

    def end(self) -> Any:
        return self._end.get(timeout=WAIT_S)

    @property
    def ends(self) -> int:
        """How many ends are there that nobody asked for yet."""
        return self._end.qsize()

    @property
    def whole(self) -> str:
        return "".join(self.pieces)


def ask(engine: Any, heard: Heard, **changed: Any) -> Any:
    options = {"max_new_tokens": 12, "temperature": 0.0, "top_p": 1.0} | changed
    return engine.start(options.pop("messages", QUESTION), heard, **options)


def answer(engine: Any, **changed: Any) -> tuple[str, Any]:
    heard = Heard()
    ask(engine, heard, **changed)
    end = heard.end()
    return heard.whole, end
