"""Pieces on their way from whoever makes them, a task or a thread, to whoever reads them."""

import asyncio
import math
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterator,
)
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import Any, TypeVar

from rag_llm_system.application.rag.budget import Budget

T = TypeVar("T")

_WAITING = 16
"""Pieces that wait for a slow reader before the writer has to: so much of an answer is held for each of them."""


@asynccontextmanager
async def within(budget: Budget, stage: str) -> AsyncIterator[None]:
    """Cancels what the block waits for when the time is over, and raises DeadlineExceeded."""
    limit = asyncio.timeout(None if math.isinf(budget.seconds) else budget.left_s)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise budget.exceeded(stage) from None


async def produced(
    produce: Callable[[Callable[[T], Awaitable[None]]], Coroutine[Any, Any, None]],
) -> AsyncGenerator[T]:
    """What ``produce(give)`` gives, from a task of its own: its spans stay in one place, wherever this is read.

    Its error comes behind what it gave. Closing the generator cancels it, and waits until it has cleaned up.
    """
    given: deque[T] = deque()
    room, news = asyncio.Semaphore(_WAITING), asyncio.Event()

    async def give(one: T) -> None:
        await room.acquire()
        given.append(one)
        news.set()

    task = asyncio.create_task(produce(give))
    task.add_done_callback(lambda _: news.set())
    try:
        while given or not task.done():
            if given:
                room.release()
                yield given.popleft()
            else:
                news.clear()
                await news.wait()
        await task
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # raised above, or nobody waits for it any more


async def in_thread(start: Callable[[], Iterator[str]]) -> AsyncGenerator[str]:
    """The pieces of an iterator that blocks, which lives in a thread of its own: no pool is used up by slow ones.

    Closing this returns at once; the iterator is closed in its thread, which then ends, as soon as it has its next
    piece or gives up.
    """
    context = copy_context()
    thread = ThreadPoolExecutor(1, "writing")
    loop = asyncio.get_running_loop()
    pieces: list[Iterator[str]] = []

    def begin() -> None:
        pieces.append(start())

    def step() -> str | None:
        return next(pieces[0], None)

    def close() -> None:
        for one in pieces:
            if isinstance(one, Generator):
                one.close()

    try:
        await loop.run_in_executor(thread, context.run, begin)
        while (piece := await loop.run_in_executor(thread, context.run, step)) is not None:
            yield piece
    finally:
        thread.submit(context.run, close)
        thread.shutdown(wait=False)
