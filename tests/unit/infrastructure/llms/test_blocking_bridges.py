"""An asynchronous generator read by a thread, and a blocking one read by an event loop."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from contextvars import ContextVar

import pytest

from rag_llm_system.domain.errors import BackendError
from rag_llm_system.infrastructure.llms.blocking import blocking
from rag_llm_system.infrastructure.llms.threaded import threaded

WAIT_S = 10
trace: ContextVar[str] = ContextVar("trace", default="none")


async def counting(closed: list[str] | None = None) -> AsyncGenerator[int]:
    try:
        for n in range(3):
            yield n
            await asyncio.sleep(0)
        if closed is not None:
            await asyncio.Event().wait()
    finally:
        if closed is not None:
            closed.append("closed")


def test_items_come_in_order_also_where_a_loop_runs() -> None:
    async def within() -> list[int]:
        return list(blocking(counting()))

    assert list(blocking(counting())) == [0, 1, 2]
    assert asyncio.run(within()) == [0, 1, 2]


def test_closing_waits_until_generator_and_thread_are_gone() -> None:
    closed: list[str] = []
    items = blocking(counting(closed))
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    assert closed == ["closed"]
    assert "language model" not in [thread.name for thread in threading.enumerate()]


def test_items_that_are_never_asked_for_start_nothing() -> None:
    blocking(counting())
    assert "language model" not in [thread.name for thread in threading.enumerate()]


def test_an_error_comes_after_the_items_before_it() -> None:
    async def failing() -> AsyncGenerator[int]:
        yield 1
        raise BackendError("gone")

    items = blocking(failing())
    assert next(items) == 1
    with pytest.raises(BackendError, match="gone"):
        next(items)


def test_the_context_of_the_caller_is_seen() -> None:
    async def tracing() -> AsyncGenerator[str]:
        yield trace.get()

    token = trace.set("mine")
    assert list(blocking(tracing())) == ["mine"]
    trace.reset(token)


def test_a_loop_reads_what_blocks() -> None:
    def items() -> Generator[int]:
        yield from range(3)

    async def read() -> list[int]:
        return [item async for item in threaded(items)]

    assert asyncio.run(read()) == [0, 1, 2]


def test_a_library_that_fails_fails_in_the_task() -> None:
    def items() -> Generator[int]:
        yield 1
        raise BackendError("gone")

    async def read() -> list[int]:
        return [item async for item in threaded(items)]

    with pytest.raises(BackendError, match="gone"):
        asyncio.run(read())


def test_a_library_is_closed_with_the_next_item_after_the_reader_left() -> None:
    go_on, closed = threading.Event(), threading.Event()

    def items() -> Generator[int]:
        try:
            yield 1
            go_on.wait(WAIT_S)
            yield 2
        finally:
            closed.set()

    async def leave() -> None:
        reading = threaded(items)
        assert await anext(reading) == 1
        await reading.aclose()

    asyncio.run(leave())
    assert not closed.is_set()
    go_on.set()
    assert closed.wait(WAIT_S)
