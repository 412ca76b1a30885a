"""Every tracer, at every place it writes to, does what the ports promise."""

import asyncio
import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from rag_llm_system.infrastructure.loading import load
from rag_llm_system.infrastructure.opik_utils import (
    TRACERS,
    RunTracer,
    TracedScore,
    TracedSpan,
    TracedWork,
    read_traces,
    trace_id_for_run,
)
from tests.opik_receiver import opik_receiver

RUN_CREATED = datetime(2026, 11, 20, 12, 0, 0, 123456)
RUN_ID = UUID("9b0a2b1c-5a0e-4f6d-8c3e-1f2a3b4c5d6e")
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Traced:
    """A tracer, and what arrived where it writes to."""

    tracer: RunTracer
    data_dir: Path
    writes: bool = True

    def works(self) -> list[TracedWork]:
        self.tracer.flush()
        return read_traces(self.data_dir)

    def work(self) -> TracedWork:
        [work] = self.works()
        return work

    def raw(self) -> bytes:
        self.tracer.flush()
        return b"".join(p.read_bytes() for p in self.data_dir.rglob("*") if p.is_file())


@pytest.fixture(params=["file", "server"])
def traced(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Traced]:
    build = load("tracer", "opik", TRACERS)
    if request.param == "file":
        tracer = build(tmp_path, "twin")
        yield Traced(tracer, tmp_path)
        tracer.close()
        return
    with opik_receiver(tmp_path) as receiver:
        tracer = build(tmp_path / "unused", "twin", receiver.url)
        yield Traced(tracer, tmp_path)
        tracer.close()


@pytest.fixture(params=sorted(TRACERS))
def any_tracer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunTracer]:
    where = {"opik": (tmp_path, "twin"), "off": ()}[request.param]
    tracer: RunTracer = load("tracer", request.param, TRACERS)(*where)
    yield tracer
    tracer.close()


def spans_by_name(work: TracedWork) -> dict[str, TracedSpan]:
    return {span.name: span for span in work.spans}


def test_an_error_leaves_the_span_unchanged(any_tracer: RunTracer) -> None:
    error = ValueError("no such chunk")

    with pytest.raises(ValueError, match="no such chunk") as caught, any_tracer.span("retrieve"):
        raise error

    assert caught.value is error


def test_every_method_of_every_tracer_can_be_called(any_tracer: RunTracer) -> None:
    with any_tracer.span("rag", kind="llm", inputs={"question": "?"}) as span:
        span.record(answer="!", vector=[0.5] * 384)
    assert isinstance(any_tracer.headers(), dict)
    any_tracer.score(trace_id_for_run(RUN_CREATED, RUN_ID), "feedback", 1.0, "good")
    with any_tracer.step_span("crawl", trace_id=trace_id_for_run(RUN_CREATED, RUN_ID)) as step:
        step.record(n=3)
    any_tracer.run_record(
        trace_id=step.trace_id, name="etl", start=START, end=None, status="running", steps={}
    )
    any_tracer.flush()


def test_nested_spans_are_one_trace(traced: Traced) -> None:
    with traced.tracer.span("rag", inputs={"question": "what is rag?"}) as rag:
        with traced.tracer.span("retrieve", kind="tool") as retrieve:
            retrieve.record(hits=3)
        with traced.tracer.span("generate", kind="llm") as generate:
            pass

    work = traced.work()
    spans = spans_by_name(work)

    assert rag.trace_id == retrieve.trace_id == generate.trace_id == work.trace_id
    assert (work.name, work.status) == ("rag", "ok")
    assert [span.name for span in work.spans] == ["rag", "retrieve", "generate"]
    assert [span.kind for span in work.spans] == ["general", "tool", "llm"]
    assert spans["rag"].parent_id == ""
    assert spans["retrieve"].parent_id == spans["generate"].parent_id == spans["rag"].id
    assert work.duration_s is not None
    assert work.duration_s >= spans["retrieve"].duration_s + spans["generate"].duration_s


def test_a_span_continues_the_trace_of_the_server_that_called(traced: Traced) -> None:
    with traced.tracer.span("rag"), traced.tracer.span("generate"):
        sent = traced.tracer.headers()
    received = {name.lower(): value for name, value in sent.items()}
    with (
        traced.tracer.span("something else"),
        traced.tracer.span("infer", caller=received),
        traced.tracer.span("decode"),
    ):
        pass

    works = {work.name: work for work in traced.works()}
    spans = spans_by_name(works["rag"])
    assert [span.name for span in works["rag"].spans] == ["rag", "generate", "infer", "decode"]
    assert spans["infer"].parent_id == spans["generate"].id
    assert spans["decode"].parent_id == spans["infer"].id
    assert [span.name for span in works["something else"].spans] == ["something else"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-opik-trace-id": "../../etc/passwd", "x-opik-parent-span-id": "x"},
        {"x-opik-trace-id": "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"},
        {"x-opik-trace-id": str(RUN_ID), "x-opik-parent-span-id": str(RUN_ID)},
    ],
)
def test_headers_that_name_no_trace_begin_a_new_one(
    traced: Traced, headers: dict[str, str]
) -> None:
    with traced.tracer.span("infer", caller=headers):
        pass
    assert traced.work().name == "infer"


def test_outside_of_a_span_there_is_nothing_to_send(traced: Traced) -> None:
    assert traced.tracer.headers() == {}


def test_feedback_belongs_to_its_trace_and_the_last_one_counts(traced: Traced) -> None:
    with traced.tracer.span("rag") as span:
        pass
    with traced.tracer.span("another"):
        pass
    traced.tracer.score(span.trace_id, "feedback", 0.0, "wrong author, api_key=cAnArY7")
    traced.tracer.flush()
    traced.tracer.score(span.trace_id, "feedback", 1.0)

    scores = {work.name: work.scores for work in traced.works()}
    assert scores == {"rag": (TracedScore(name="feedback", value=1.0),), "another": ()}
    assert b"cAnArY7" not in traced.raw()


def test_each_outermost_span_is_a_trace_of_its_own(traced: Traced) -> None:
    for question in ("one", "two"):
        with traced.tracer.span(question), traced.tracer.span("retrieve"):
            pass

    works = traced.works()

    assert [work.name for work in works] == ["two", "one"]
    assert [len(work.spans) for work in works] == [2, 2]
    assert len({work.trace_id for work in works}) == 2


def test_an_error_is_recorded_on_every_span_it_crosses(traced: Traced) -> None:
    with pytest.raises(LookupError), traced.tracer.span("rag"), traced.tracer.span("retrieve"):
        raise LookupError("no such chunk")

    work = traced.work()

    assert work.status == "error"
    assert {span.error for span in work.spans} == {"LookupError: no such chunk"}


def test_a_consumer_that_stops_a_stream_early_is_no_error(traced: Traced) -> None:
    def stream() -> Iterator[str]:
        with traced.tracer.span("generate"):
            yield from ("one", "two")

    pieces = stream()
    assert next(pieces) == "one"
    pieces.close()  # type: ignore[attr-defined]

    assert traced.work().status == "ok"


def test_a_stream_read_in_other_contexts_keeps_its_trace(traced: Traced) -> None:
    def stream() -> Iterator[str]:
        with traced.tracer.span("rag"):
            with traced.tracer.span("retrieve"):
                pass
            yield from ("one", "two")

    pieces = stream()
    while contextvars.Context().run(next, pieces, None) is not None:
        pass

    assert [span.name for span in traced.work().spans] == ["rag", "retrieve"]


def test_threads_with_a_copied_context_write_into_the_same_trace(traced: Traced) -> None:
    def search(query: str) -> None:
        with traced.tracer.span(query):
            pass

    with traced.tracer.span("rag"), ThreadPoolExecutor(2) as pool:
        for query in ("first", "second"):
            pool.submit(contextvars.copy_context().run, search, query).result()

    spans = spans_by_name(traced.work())

    assert spans["first"].parent_id == spans["second"].parent_id == spans["rag"].id


def test_concurrent_tasks_do_not_mix_their_spans(traced: Traced) -> None:
    async def answer(question: str) -> None:
        with traced.tracer.span(question):
            await asyncio.sleep(0)
            with traced.tracer.span(f"retrieve {question}"):
                await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(answer("one"), answer("two"))

    asyncio.run(both())

    works = {work.name: work for work in traced.works()}

    assert {span.name for span in works["one"].spans} == {"one", "retrieve one"}
    assert {span.name for span in works["two"].spans} == {"two", "retrieve two"}


@pytest.mark.parametrize(
    ("canary", "secret"),
    [
        ("mongodb://ada:cAnArY7@db/twin", b"cAnArY7"),
        ("api_key=cAnArY7", b"cAnArY7"),
        ("sk-" + "proj-cAnArY7000000000", b"cAnArY7"),
        ("Authorization: Bearer cAnArY7000", b"cAnArY7"),
    ],
)
def test_a_secret_reaches_no_sink(traced: Traced, canary: str, secret: bytes) -> None:
    trace_id = trace_id_for_run(RUN_CREATED, RUN_ID)
    everywhere = {"text": canary, "deep": [{"uri": canary}], canary: 1, "password": "cAnArY7"}
    failure = RuntimeError(f"cannot reach {canary}")

    def work() -> None:
        with traced.tracer.span("rag", inputs=everywhere) as span:
            span.record(**everywhere)
            raise failure

    with pytest.raises(RuntimeError):
        work()
    with traced.tracer.step_span(canary, trace_id=trace_id, inputs=everywhere, metadata=everywhere):
        pass
    traced.tracer.run_record(
        trace_id=trace_id,
        name=f"etl {canary}",
        start=START,
        end=START,
        status="failed",
        steps={},
        metadata=everywhere,
        error=failure,
    )

    assert len(traced.works()) == 2
    assert secret not in traced.raw()


def test_a_large_payload_is_cut(traced: Traced) -> None:
    corpus = ["Lorem ipsum dolor sit amet. " * 40_000] * 50

    with traced.tracer.span("index", inputs={"corpus": corpus, "text": corpus[0]}) as span:
        span.record(vectors=[[0.25] * 384] * 1000, raw=b"\x00" * 1_000_000, tracer=traced.tracer)

    raw = traced.raw()

    assert len(raw) < 40_000
    assert b"(1120000 characters)" in raw
    assert b"(50 items)" in raw
    assert b'"bytes"' in raw
    assert b'"OpikTracer"' in raw


def test_the_steps_of_a_run_meet_in_one_trace(traced: Traced) -> None:
    trace_id = trace_id_for_run(RUN_CREATED, RUN_ID)
    for step in ("crawl", "clean"):
        with traced.tracer.step_span(step, trace_id=trace_id, metadata={"attempt": 1}) as span:
            assert span.trace_id == trace_id
            with traced.tracer.span("fetch"):
                pass

    assert traced.work().status == "unfinished"

    traced.tracer.run_record(
        trace_id=trace_id,
        name="digital_data_etl",
        start=RUN_CREATED,
        end=RUN_CREATED + timedelta(seconds=90),
        status="completed",
        steps={"crawl": "completed", "clean": "cached"},
    )
    work = traced.work()
    ids = {span.id: span.name for span in work.spans}

    assert (work.trace_id, work.name, work.status) == (trace_id, "digital_data_etl", "completed")
    assert work.start == RUN_CREATED.replace(tzinfo=UTC)
    assert work.duration_s == 90
    assert [(ids.get(span.parent_id, ""), span.name) for span in work.spans] == [
        ("", "crawl"),
        ("crawl", "fetch"),
        ("", "clean"),
        ("clean", "fetch"),
    ]


def test_a_trace_id_is_what_opik_makes_of_the_run_id(traced: Traced) -> None:
    from opik.id_helpers import uuid4_to_uuid7  # the tracer has set its environment by now

    expected = uuid4_to_uuid7(RUN_CREATED.replace(tzinfo=UTC), str(RUN_ID))
    assert trace_id_for_run(RUN_CREATED, RUN_ID) == str(expected)


def test_the_latest_record_of_a_run_wins(traced: Traced) -> None:
    trace_id = trace_id_for_run(RUN_CREATED, RUN_ID)
    for end, status in ((None, "running"), (START, "failed")):
        traced.tracer.run_record(
            trace_id=trace_id,
            name="training",
            start=START,
            end=end,
            status=status,
            steps={},
            error="out of memory" if end else None,
        )
        assert traced.work().status == status

    assert traced.work().duration_s == 0
