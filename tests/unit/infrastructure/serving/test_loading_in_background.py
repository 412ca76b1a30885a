"""What a server needs is opened in the background, and its end is heard by everybody who waits."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from rag_llm_system.domain.errors import BackendError, MissingFile, RagSystemError
from rag_llm_system.infrastructure.serving.loading import Loading

WAIT_S = 10


class Held:
    """Opens only when it is let; notes what is closed."""

    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error
        self.let = threading.Event()
        self.closed: list[str] = []
        self.was_closed = threading.Event()

    def open(self) -> str:
        assert self.let.wait(WAIT_S)
        if self._error:
            raise self._error
        return "the value"

    def close(self, value: str) -> None:
        self.closed.append(value)
        self.was_closed.set()


@pytest.fixture
def held() -> Iterator[Held]:
    made = Held()
    yield made
    made.let.set()


def opened(held: Held) -> Loading[str]:
    held.let.set()
    return Loading(held.open, what="the model")


def test_it_is_loading_until_it_is_ready(held: Held) -> None:
    async def main() -> None:
        loading = Loading(held.open)
        assert (loading.status, loading.error, loading.ready_value) == ("loading", "", None)
        held.let.set()
        assert await loading.value() == "the value"
        assert (loading.status, loading.error, loading.ready_value) == ("ready", "", "the value")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (MissingFile("no model in\n mongodb://u:pw@h/"), MissingFile, "no model in mongodb://***@h/"),
        (ZeroDivisionError("pw"), BackendError, "the model could not be loaded (ZeroDivisionError); "
         "the server's log has more"),
        (SystemExit(3), BackendError, "the model could not be loaded (SystemExit); the server's log "
         "has more"),
    ],
)  # fmt: skip
def test_why_it_failed_is_raised_to_who_waits_and_said_in_one_line(
    error: BaseException, raised: type[RagSystemError], said: str
) -> None:
    loading = opened(Held(error))

    with pytest.raises(raised):
        asyncio.run(loading.value())
    assert (loading.status, loading.error, loading.ready_value) == ("failed", said, None)


def test_what_was_not_foreseen_is_in_the_log_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(BackendError):
        asyncio.run(opened(Held(ZeroDivisionError("inner detail"))).value())
    assert "Traceback" in caplog.text
    assert "inner detail" in caplog.text


def test_one_who_no_longer_waits_takes_it_from_nobody_else(held: Held) -> None:
    async def main() -> None:
        loading = Loading(held.open)
        gone = asyncio.create_task(loading.value())
        waiting = asyncio.create_task(loading.value())
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        held.let.set()
        assert gone.cancelled()
        assert await waiting == "the value"

    asyncio.run(main())


def test_what_is_there_is_closed_before_close_returns(held: Held) -> None:
    async def main() -> None:
        loading = opened(held)
        await loading.value()
        await loading.close(held.close)
        assert held.closed == ["the value"]

    asyncio.run(main())


def test_close_does_not_wait_for_what_is_still_loading_but_it_is_closed_then(held: Held) -> None:
    asyncio.run(Loading(held.open).close(held.close))
    assert held.closed == []

    held.let.set()

    assert held.was_closed.wait(WAIT_S)
    assert held.closed == ["the value"]


def test_what_failed_has_nothing_to_close() -> None:
    failed = Held(MissingFile("no such folder"))

    async def main() -> None:
        loading = opened(failed)
        with pytest.raises(MissingFile):
            await loading.value()
        await loading.close(failed.close)

    asyncio.run(main())
    assert failed.closed == []
