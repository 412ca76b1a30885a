"""An answer in pieces: what is shown stays, errors and deadlines travel, and nothing is left behind."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from contextvars import ContextVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.rag.answer import (
    NO_SOURCES,
    REFUSED,
    Answering,
    Asked,
    Found,
    LLMWriter,
    Piece,
)
from rag_llm_system.application.rag.budget import Budget
from rag_llm_system.application.rag.citations import checked_citations
from rag_llm_system.application.rag.draft import Draft
from rag_llm_system.application.rag.title_guard import TitleGuard, guarded
from rag_llm_system.domain.answers import Answer, Context, ContextChunk, Message
from rag_llm_system.domain.errors import BackendError, DeadlineExceeded
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.domain.ports import LLM
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.tracing.off import OffTracer
from tests.unit.application.rag.retrieved import chunk

QUESTION = "When does the embedded server stop?"
STOPS = "The embedded server stops when the last process that uses it ends."
FILMS = FromContext(name="title", open="**", close="**", values=("Alien", "Dune"))
SHORT_S = 0.05

Event = Found | Piece | Answer


class Finds:
    """A retriever; ``wait`` is called in its thread."""

    def __init__(self, *chunks: ContextChunk, wait: Callable[[], object] = bool) -> None:
        self._chunks, self._wait = chunks, wait

    def retrieve(self, query: Query, k: int, *, self_query: bool, budget: Budget) -> Context:
        self._wait()
        return Context(chunks=self._chunks, index_version="0123456789ab")


class Writes:
    """An asynchronous model: pieces, then an error, or silence; ``closed`` tells that it was stopped or had ended."""

    model_id = "writes"

    def __init__(
        self, *pieces: str, error: BackendError | None = None, hangs: bool = False
    ) -> None:
        self._pieces, self._error, self._hangs = pieces, error, hangs
        self.closed = False

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Iterator[str]:
        raise AssertionError("its asynchronous form is used")

    async def astream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        from_context: Sequence[FromContext] = (),
    ) -> AsyncGenerator[str]:
        try:
            for piece in self._pieces:
                yield piece
            if self._error:
                raise self._error
            if self._hangs:
                await asyncio.Event().wait()
        finally:
            self.closed = True


class Blocks:
    """A model without an asynchronous form that waits for ``go`` before its second piece."""

    model_id = "blocks"

    def __init__(self) -> None:
        self.go, self.closed = threading.Event(), threading.Event()
        self.threads: list[threading.Thread] = []

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Iterator[str]:
        self.threads.append(threading.current_thread())
        try:
            yield "It stops [1], "
            self.go.wait()
            yield "later."
        finally:
            self.threads.append(threading.current_thread())
            self.closed.set()


def answering(llm: LLM, retriever: Finds | None = None, *, strict: bool = False) -> Answering:
    writer = LLMWriter(llm, max_tokens=50, temperature=0.0)
    found = retriever or Finds(chunk(1, STOPS))
    return Answering(found, writer, OffTracer(), refuse_ungrounded=strict)


def asked(deadline_s: float | None = None) -> Asked:
    return Asked(query=Query(text=QUESTION), deadline_s=deadline_s)


def events(answers: Answering, deadline_s: float | None = None) -> list[Event]:
    """All of them; no task outlives them."""

    async def collected() -> list[Event]:
        found = [event async for event in answers.events(asked(deadline_s))]
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return found

    return asyncio.run(collected())


def text_of(seen: Sequence[Event]) -> str:
    return "".join(event.text for event in seen if isinstance(event, Piece))


def test_the_sources_come_first_then_the_pieces_then_the_whole_answer() -> None:
    found, *pieces, answer = events(answering(Writes("It ", "stops [", "1].")))
    assert isinstance(found, Found)
    assert isinstance(answer, Answer)
    [source] = found.sources
    assert (source.link, source.cited, found.index_version) == (
        "http://a.example/1", False, "0123456789ab",
    )  # fmt: skip
    assert [type(piece) for piece in pieces] == [Piece] * len(pieces)
    assert text_of(pieces) == answer.text == "It stops [1]."
    assert answer.grounded
    assert answer.sources[0].cited
    assert {"retrieve", "context", "generate"} <= answer.timings_s.keys()


def test_without_sources_the_answer_says_so_in_a_piece_and_nothing_is_generated() -> None:
    model = Writes("Invented.")
    found, piece, answer = events(answering(model, Finds()))
    assert isinstance(found, Found)
    assert piece == Piece(text=NO_SOURCES)
    assert isinstance(answer, Answer)
    assert (answer.text, answer.sources, model.closed) == (NO_SOURCES, (), False)


def test_a_strict_answer_shows_nothing_before_its_first_citation() -> None:
    seen = events(
        answering(Writes("It ", "stops ", "at once. ", "So [1]", " it ", "is."), strict=True)
    )
    first = next(event for event in seen if isinstance(event, Piece))
    assert first.text.startswith("It stops at once. So [1]")
    assert text_of(seen) == "It stops at once. So [1] it is."


def test_a_strict_answer_without_a_citation_is_refused() -> None:
    *_, piece, answer = events(answering(Writes("It ", "stops."), strict=True))
    assert piece == Piece(text=REFUSED)
    assert isinstance(answer, Answer)
    assert (answer.text, answer.grounded) == (REFUSED, False)


def test_an_error_in_the_middle_comes_behind_what_was_written() -> None:
    seen: list[Event] = []

    async def read() -> None:
        async with aclosing(broken.events(asked())) as reading:
            async for event in reading:
                seen.append(event)

    broken = answering(Writes("It stops [1]", ". Then it", error=BackendError("the model died")))
    with pytest.raises(BackendError, match="the model died"):
        asyncio.run(read())
    assert text_of(seen).startswith("It stops [1].")


def test_an_error_of_retrieval_comes_before_anything_else() -> None:
    def fail() -> None:
        raise BackendError("no store")

    with pytest.raises(BackendError, match="no store"):
        events(answering(Writes("It stops."), Finds(wait=fail)))


@pytest.mark.parametrize("pieces", [(), ("It stops [1], ",)])
def test_a_model_that_hangs_is_stopped_at_the_deadline(pieces: Sequence[str]) -> None:
    model = Writes(*pieces, hangs=True)
    with pytest.raises(DeadlineExceeded, match=r"generation.*deadline_s.*RAG_DEADLINE_S"):
        events(answering(model), SHORT_S)
    assert model.closed


def test_retrieval_that_hangs_is_not_waited_for_at_the_deadline() -> None:
    go = threading.Event()

    async def read() -> None:
        with pytest.raises(DeadlineExceeded, match="retrieval"):
            await anext(answers.events(asked(SHORT_S)))
        with pytest.raises(DeadlineExceeded, match="retrieval"):
            await answers.aretrieve(asked(SHORT_S))
        go.set()  # or the loop would wait for its thread

    answers = answering(Writes("Never."), Finds(wait=go.wait))
    asyncio.run(read())


def test_closing_stops_the_model_and_leaves_no_task() -> None:
    model = Writes("It stops [1], ", hangs=True)

    async def leave() -> None:
        reading = answering(model).events(asked())
        await anext(reading)
        await anext(reading)
        await reading.aclose()
        assert model.closed
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(leave())


def test_a_reader_that_is_cancelled_stops_the_model() -> None:
    model = Writes("It stops [1], ", hangs=True)
    began = asyncio.Event()

    async def read() -> None:
        async with aclosing(answering(model).events(asked())) as reading:
            async for event in reading:
                if isinstance(event, Piece):
                    began.set()

    async def leave() -> None:
        task = asyncio.create_task(read())
        await began.wait()
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    asyncio.run(leave())
    assert model.closed


def test_a_model_that_blocks_is_closed_in_its_own_thread() -> None:
    model = Blocks()

    async def leave() -> None:
        reading = answering(model).events(asked())
        await anext(reading)
        assert await anext(reading) == Piece(text="It stops [1],")
        await reading.aclose()

    asyncio.run(leave())
    model.go.set()
    assert model.closed.wait(10)
    began, ended = model.threads
    assert began is ended is not threading.main_thread()
    began.join(10)
    assert not began.is_alive()


def test_a_model_that_blocks_is_not_waited_for_at_the_deadline() -> None:
    model = Blocks()
    with pytest.raises(DeadlineExceeded, match="generation"):
        events(answering(model), SHORT_S)
    model.go.set()
    assert model.closed.wait(10)


def test_models_that_block_do_not_use_up_the_threads_of_retrieval() -> None:
    slow = [Blocks() for _ in range(40)]

    async def ask_all() -> None:
        readings = [answering(model).events(asked()) for model in slow]
        for reading in readings:
            await anext(reading)
            await anext(reading)
        assert text_of([e async for e in answering(Writes("It stops [1].")).events(asked())])
        for reading, model in zip(readings, slow, strict=True):
            model.go.set()
            await reading.aclose()

    asyncio.run(ask_all())
    assert all(model.closed.wait(10) for model in slow)


def test_a_reader_that_is_slow_holds_up_the_model() -> None:
    model = Writes(*("word [1] " for _ in range(1000)))

    async def leave() -> None:
        reading = answering(model).events(asked())
        await anext(reading)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not model.closed
        await reading.aclose()

    asyncio.run(leave())


def test_retrieval_waits_until_the_limiter_lets_it_in() -> None:
    async def read() -> None:
        async with one:
            with pytest.raises(DeadlineExceeded, match="retrieval"):
                await anext(answers.events(asked(SHORT_S), limiter=one))
        assert [e async for e in answers.events(asked(), limiter=one)]
        assert (await answers.aretrieve(asked(), limiter=one)).context.chunks

    one = asyncio.Semaphore(1)
    answers = answering(Writes("It stops [1]."))
    asyncio.run(read())


class Nested(OffTracer):
    """Keeps each span with the one around it."""

    def __init__(self) -> None:
        self.around: ContextVar[str] = ContextVar("around", default="")
        self.spans: list[tuple[str, str]] = []

    @contextmanager
    def span(self, name: str, **_: object) -> Iterator["Nested"]:
        self.spans.append((name, self.around.get()))
        token = self.around.set(name)
        yield self
        self.around.reset(token)

    trace_id = "t1"

    def record(self, **_: object) -> None:
        """Nothing is kept."""


def test_the_spans_of_an_answer_are_one_tree_whichever_tasks_read_it() -> None:
    tracer = Nested()

    class Traced(Finds):
        def retrieve(self, query: Query, k: int, *, self_query: bool, budget: Budget) -> Context:
            with tracer.span("search"):
                return super().retrieve(query, k, self_query=self_query, budget=budget)

    async def read() -> None:
        writer = LLMWriter(Writes("It ", "stops [1]."), max_tokens=50, temperature=0.0)
        reading = Answering(Traced(chunk(1, STOPS)), writer, tracer).events(asked())
        ended: list[Event] = []
        while not ended or not isinstance(ended[-1], Answer):
            ended.append(await asyncio.create_task(anext(reading)))  # type: ignore[arg-type]
        await reading.aclose()

    asyncio.run(read())
    assert tracer.spans == [("rag", ""), ("search", "rag"), ("generate", "rag")]


def test_many_answers_at_once_do_not_mix() -> None:
    async def text(n: int) -> str:
        model = Writes(*(f"{n} " for _ in range(50)), "[1]")
        return text_of([event async for event in answering(model).events(asked())])

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(text(n) for n in range(20)))

    assert asyncio.run(all_of_them()) == [f"{n} " * 50 + "[1]" for n in range(20)]


_PARTS = (
    "**", "Alien", "Dun", "Heat", "[1]", "[2", ", 9]", "[9]", "]", " ", "\n", "\n\n", "`", "```", "Text.", "    ",
)  # fmt: skip
_LINKS = (
    "http://a.example/1",
    "http://evil.example/?q=1",
    "](",
    "![",
    "[a](",
    ")",
    "<a href=",
    ">",
    "javascript:",
)


def drafted(pieces: Sequence[str], *, strict: bool = False) -> Draft:
    """What is shown of it never has to be taken back."""
    draft = Draft([chunk(1, STOPS), chunk(2, STOPS)], [FILMS], refuse_ungrounded=strict)
    shown = "".join(map(draft.add, pieces)) + draft.finish()
    assert shown == draft.text
    return draft


@given(st.lists(st.sampled_from(_PARTS), max_size=12), st.booleans())
def test_a_draft_is_what_its_checks_make_of_the_whole_text(pieces: list[str], strict: bool) -> None:
    draft = drafted(pieces, strict=strict)
    titled = "".join(guarded(pieces, TitleGuard([FILMS]))).strip()
    whole, cited = checked_citations(titled, {1, 2})
    wanted = whole or NO_SOURCES
    if strict and whole and not cited:
        wanted = REFUSED
    assert (draft.text, draft.cited) == (wanted, cited)


@given(st.lists(st.sampled_from(_PARTS + _LINKS), max_size=12), st.booleans())
def test_the_pieces_of_an_answer_do_not_matter(pieces: list[str], strict: bool) -> None:
    whole, split = drafted(["".join(pieces)], strict=strict), drafted(pieces, strict=strict)
    letters = drafted(list("".join(pieces)), strict=strict)
    assert whole.text == split.text == letters.text
    assert whole.cited == split.cited == letters.cited
