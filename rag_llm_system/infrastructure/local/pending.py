"""Carries one answer from the engine's thread to the server's event loop."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import BackendError, RagSystemError


class Done(Value):
    reason: str
    prompt_tokens: int
    completion_tokens: int


class PendingAnswer:
    """The engine's listener: called from its thread, read in the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._events: asyncio.Queue[str | Done | RagSystemError] = asyncio.Queue()

    def text(self, piece: str) -> None:
        self._put(piece)

    def done(self, reason: str, prompt_tokens: int, completion_tokens: int) -> None:
        self._put(
            Done(reason=reason, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
        )

    def failed(self, error: RagSystemError) -> None:
        self._put(error)

    async def events(self) -> AsyncGenerator[str | Done]:
        """Pieces of text, then one Done; raises what the engine failed with, or BackendError when it was stopped.

        Pieces that came while nobody read are one: a busy server has fewer events to send.
        """
        while True:
            text, end = "", None
            event = await self._events.get()
            while isinstance(event, str):
                text += event
                if self._events.empty():
                    break
                event = self._events.get_nowait()
            else:
                end = event
            if text:
                yield text
            if isinstance(end, RagSystemError):
                raise end
            if end is not None:
                # who cancels no longer reads: this was not the reader
                if end.reason == "cancelled":
                    raise BackendError("the engine was stopped before the answer was whole")
                yield end
                return

    def _put(self, event: str | Done | RagSystemError) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
