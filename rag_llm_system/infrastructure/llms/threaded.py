"""A library that blocks, read by an event loop: the opposite of ``blocking``."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import closing, suppress
from typing import TypeVar

T = TypeVar("T")


async def threaded(items: Callable[[], Generator[T]]) -> AsyncGenerator[T]:
    """Runs ``items`` in a thread of its own.

    Closing this generator does not wait for the thread, which nothing can interrupt: it ends with the next item, or
    with the library's own timeout.
    """
    loop = asyncio.get_running_loop()
    said: asyncio.Queue[tuple[T] | Exception | None] = asyncio.Queue()
    left = threading.Event()

    def tell(news: tuple[T] | Exception | None) -> None:
        with suppress(RuntimeError):  # the loop is closed, and nobody there to hear it
            loop.call_soon_threadsafe(said.put_nowait, news)

    def work() -> None:
        try:
            with closing(items()) as running:
                for item in running:
                    if left.is_set():
                        return
                    tell((item,))
        except Exception as error:  # noqa: BLE001 - it is raised in the caller's task
            tell(error)
        else:
            tell(None)

    threading.Thread(target=work, name="language model", daemon=True).start()
    try:
        while news := await said.get():
            if isinstance(news, Exception):
                raise news
            yield news[0]
    finally:
        left.set()
