"""The plain iterator of an asynchronous generator, for callers without an event loop."""

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future
from contextlib import aclosing, suppress
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def blocking(items: AsyncGenerator[T]) -> Iterator[T]:
    """Runs ``items`` in an event loop of its own, in a thread, as the caller's thread may have a loop that runs.

    Closing the iterator cancels what runs and waits until the generator, the loop and the thread are gone.
    """
    said: queue.SimpleQueue[tuple[T] | None] = queue.SimpleQueue()
    started: Future[Callable[[], object]] = Future()

    async def hand_over() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task:
            started.set_result(lambda: loop.call_soon_threadsafe(task.cancel))
        async with aclosing(items):
            async for item in items:
                said.put((item,))

    def work() -> None:
        try:
            asyncio.run(hand_over())
        except asyncio.CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - it is raised in the caller's thread
            failed.append(error)
        finally:
            if not started.done():  # there was no loop to be had
                started.set_result(lambda: None)
            said.put(None)

    failed: list[Exception] = []
    # the caller's context has the trace that the request belongs to
    thread = threading.Thread(
        target=copy_context().run, args=(work,), name="language model", daemon=True
    )
    thread.start()
    try:
        while item := said.get():
            yield item[0]
    finally:
        with suppress(RuntimeError):  # the loop has ended by itself
            started.result()()
        thread.join()
    if failed:
        raise failed[0]
