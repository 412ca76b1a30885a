"""Carries one answer from the engine's thread to the server's event loop."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import RagSystemError


class Done(Value):
    reason: str
    prompt_tokens: int
    completion_tokens: int


class Failed(Value):
    reason: str


class PendingAnswer:
    """The engine's listener: called from its thread, read in the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._events: asyncio.Queue[str | Done | Failed] = asyncio.Queue()

    def text(self, piece: str) -> None:
        self._put(piece)

    def done(self, reason: str, prompt_tokens: int, completion_tokens: int) -> None:
        self._put(
            Done(reason=reason, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
        )

    def failed(self, error: RagSystemError) -> None:
        self._put(Failed(reason=str(error)))

    async def events(
        self, *, until: Coroutine[Any, Any, None]
    ) -> AsyncGenerator[str | Done | Failed]:
        """Pieces of text, then one Done or Failed; ends early when ``until`` returns."""
        left = asyncio.create_task(until)
        try:
            while True:
                following = asyncio.create_task(self._events.get())
                await asyncio.wait({left, following}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    following.cancel()
                    return
                event = following.result()
                yield event
                if not isinstance(event, str):
                    return
        finally:
            left.cancel()

    def _put(self, event: str | Done | Failed) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
