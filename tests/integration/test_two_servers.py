"""The RAG API in front of an inference server that is well, and of one that is killed, hung, slow, full or mad."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag_llm_system.bootstrap import System
from rag_llm_system.infrastructure.llms.breaker import FAILURES, PAUSE_S, CircuitBreaker
from rag_llm_system.infrastructure.tracing.reader import TracedSpan, read_traces
from tests.model_servers import (
    Behaviour,
    ModelFake,
    answering,
    dying_after,
    ending_early_after,
    endless,
    failing_after,
    model_server,
    refusing,
    sending,
    silent_after,
)
from tests.paced_inference import SENTENCE
from tests.rag_apis import memory_system, serving
from tests.two_servers import (
    WAIT_S,
    InferenceProcess,
    Rag,
    asking,
    inference_process,
    rag_api,
)

ENDLESS = 4000
"""More words than any of these answers has the time for."""

SILENT_S = 2.5
"""So long a server is waited for that says nothing; one that is well says something before, also on a busy machine."""

SHORT_S = 1.5
"""A deadline that retrieval meets and an answer that does not come misses."""

PATIENT_S = 20
"""Where a failure shows by itself, waiting decides nothing."""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def inference(data_dir: Path) -> Iterator[InferenceProcess]:
    with inference_process(data_dir) as process:
        yield process


@pytest.fixture
def fake() -> Iterator[ModelFake]:
    with model_server("local") as server:
        server.otherwise = answering(SENTENCE)
        yield server


def until(happened: Callable[[], object]) -> None:
    """Asks again and again; a test that waits in vain ends by its time limit."""
    while not happened():
        continue


def assert_nothing_is_left(rag: Rag, before: dict[str, int]) -> None:
    """Less is fine: what the connections before were kept for is over."""
    until(lambda: rag.in_work() == 0)
    until(lambda: all(now <= before[what] for what, now in rag.held().items()))


def one_error(rag: Rag, **body: Any) -> dict[str, Any]:
    """What the one ``error`` event says of an answer that comes to nothing."""
    names = []
    for name, data in rag.events(**body):
        names.append(name)
        last = data
    assert (names[0], names[-1]) == ("sources", "error")
    assert set(names[1:-1]) <= {"token"}
    assert set(last) == {"error", "status", "trace_id"}
    assert str(last["error"]).isprintable()
    assert rag.healthy()
    return last


# What an inference server can do to an answer, what the client is told of it, and with which status.
FAILURES_OF_IT: dict[str, tuple[Behaviour, str, int]] = {
    "dies at once": (dying_after(), "broke off", 503),
    "dies within the answer": (dying_after("The server ", "stops "), "broke off", 503),
    "ends the answer early": (ending_early_after("The server "), "ended the answer early", 503),
    "fails within the answer": (failing_after("The server "), "out of memory", 503),
    "says nothing": (silent_after(), f"sent nothing for {SILENT_S} s", 503),
    "stops talking": (silent_after("The server "), f"sent nothing for {SILENT_S} s", 503),
    "sends a page": (sending(b"<html>no</html>"), "sent what is no answer", 503),
    "sends nothing at all": (sending(b""), "ended the answer early", 503),
    "sends bytes": (sending(bytes(range(256)) * 40), "sent", 503),
    "sends events of another kind": (
        sending(b"event: token\ndata: [1, 2\n\n", "text/event-stream"),
        "sent what is no answer",
        503,
    ),
    "is full": (refusing(429, "32 requests wait"), "32 requests wait", 429),
    "is full for a while": (refusing(429, "full", Retry_After="60"), "too many questions", 429),
    "loads its model": (
        refusing(503, "the model is loading", Retry_After="60"),
        "the model is loading",
        503,
    ),
    "failed": (refusing(500, "no memory"), "answered 500: no memory", 503),
    "wants a key": (refusing(401, "no"), "set LOCAL_INFERENCE_API_KEY", 400),
    "is another server": (refusing(404, "no"), "answered 404", 503),
    "does not take the question": (refusing(422, "too long"), "too long", 422),
}


def waiting(fake: ModelFake, seconds: float) -> dict[str, Any]:
    """The settings of a RAG API that waits so long for each word."""
    return {**asking(fake.url), "LLM_READ_TIMEOUT_S": seconds, "LLM_IDLE_TIMEOUT_S": seconds}


@pytest.mark.parametrize("kind", FAILURES_OF_IT)
def test_an_inference_server_that_fails_is_one_clear_error_and_the_next_answer_is_well(
    tmp_path: Path, fake: ModelFake, kind: str
) -> None:
    behaviour, line, status = FAILURES_OF_IT[kind]
    limit_s = SILENT_S if "sent nothing for" in line else PATIENT_S
    with rag_api(tmp_path, deadline_s=PATIENT_S, **waiting(fake, limit_s)) as rag:
        fake.script = [behaviour, behaviour]
        streamed, whole = one_error(rag), rag.ask()
        again = rag.ask()

    assert line in streamed["error"]
    assert (streamed["status"], whole.status_code) == (status, status)
    assert whole.json() == {"error": streamed["error"]}
    assert (again.status_code, again.json()["answer"]) == (200, SENTENCE.strip())


@pytest.mark.parametrize("behaviour", [silent_after(), silent_after("The server "), endless])
def test_the_deadline_ends_what_does_not_end_by_itself(
    tmp_path: Path, fake: ModelFake, behaviour: Behaviour
) -> None:
    fake.script = [behaviour, behaviour]
    with rag_api(tmp_path, **asking(fake.url)) as rag:
        streamed, whole = one_error(rag, deadline_s=SHORT_S), rag.ask(deadline_s=SHORT_S)
        for _ in range(2):
            fake.left.get(timeout=10)

    assert (streamed["status"], whole.status_code) == (504, 504)
    assert f"no answer within {SHORT_S} s" in streamed["error"]
    assert whole.json() == {"error": streamed["error"]}


def test_health_and_retrieval_answer_while_the_inference_server_hangs(
    tmp_path: Path, fake: ModelFake
) -> None:
    fake.otherwise = silent_after()
    with rag_api(tmp_path, **asking(fake.url)) as rag:
        hanging = [rag.events() for _ in range(8)]
        assert [next(one)[0] for one in hanging] == ["sources"] * 8
        until(lambda: len(fake.asked) == 8)
        assert rag.healthy()
        assert rag.in_work() == 8
        assert rag.client.post("/retrieve", json={"query": "a server"}).status_code == 200
        for one in hanging:
            one.close()
        until(lambda: rag.in_work() == 0)


def test_nothing_is_left_of_many_answers_that_failed(tmp_path: Path, fake: ModelFake) -> None:
    """Each is followed by one that is well, so that no row of failures closes the way to the server."""
    bad = [behaviour for behaviour, line, _ in FAILURES_OF_IT.values() if "nothing for" not in line]
    with rag_api(tmp_path, deadline_s=PATIENT_S, **waiting(fake, PATIENT_S)) as rag:
        rag.ask()
        before = rag.held()
        for behaviour in [*bad, *bad]:
            fake.script = [behaviour]
            one_error(rag)
            assert rag.ask().status_code == 200
        for behaviour in [silent_after(), silent_after("The server ")]:
            fake.script = [behaviour]
            assert one_error(rag, deadline_s=SHORT_S)["status"] == 504
            assert rag.ask().status_code == 200
        for _ in range(5):
            fake.script = [endless]
            left = rag.events()
            while next(left)[0] != "token":
                continue
            left.close()
        assert_nothing_is_left(rag, before)


def test_a_server_that_was_down_for_long_is_asked_again_when_its_pause_is_over(
    tmp_path: Path, fake: ModelFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [0.0]
    monkeypatch.setitem(CircuitBreaker.__init__.__kwdefaults__, "clock", lambda: now_s[0])
    fake.script = [dying_after()] * FAILURES
    with rag_api(tmp_path, deadline_s=PATIENT_S, **waiting(fake, PATIENT_S)) as rag:
        for _ in range(FAILURES):
            one_error(rag)
        kept_away = one_error(rag)
        asked = len(fake.asked)
        now_s[0] += PAUSE_S
        again = rag.ask()

    assert "failed 5 times in a row; asked again in 15 s" in kept_away["error"]
    assert (kept_away["status"], asked) == (503, FAILURES)
    assert again.status_code == 200


def test_a_server_that_is_killed_within_an_answer_is_one_error_and_serves_when_it_is_back(
    tmp_path: Path, inference: InferenceProcess
) -> None:
    settings = {**asking(inference.address), "MAX_NEW_TOKENS_INFERENCE": ENDLESS}
    with rag_api(tmp_path, **settings) as rag:
        before = rag.held()
        events = rag.events()
        while next(events)[0] != "token":
            continue
        inference.kill()
        *_, (name, data) = events
        while_down = rag.ask()
        inference.start()
        again = rag.events()
        while next(again)[0] != "token":
            continue
        again.close()
        assert_nothing_is_left(rag, before)

    assert (name, data["status"]) == ("error", 503)
    assert "broke off" in data["error"]
    assert while_down.status_code == 503
    assert "start it with `poe deploy-inference-local`" in while_down.json()["error"]


def test_a_client_that_leaves_cancels_the_generation_at_the_other_server(
    tmp_path: Path, inference: InferenceProcess, data_dir: Path
) -> None:
    before = len(records(data_dir))
    settings = {**asking(inference.address), "MAX_NEW_TOKENS_INFERENCE": ENDLESS}
    with rag_api(tmp_path, **settings) as rag:
        events = rag.events()
        while next(events)[0] != "token":
            continue
        assert inference.running() == 1
        events.close()
        until(lambda: inference.running() == 0)
        until(lambda: len(records(data_dir)) > before)

    assert records(data_dir)[-1]["status"] == "cancelled"


def test_a_slow_server_is_cut_off_at_the_deadline_and_told_to_stop(
    tmp_path: Path, inference: InferenceProcess
) -> None:
    settings = {**asking(inference.address), "MAX_NEW_TOKENS_INFERENCE": ENDLESS}
    with rag_api(tmp_path, **settings) as rag:
        late = one_error(rag, deadline_s=SHORT_S)
        until(lambda: inference.running() == 0)

    assert late["status"] == 504


def test_one_trace_goes_through_both_servers(inference: InferenceProcess, data_dir: Path) -> None:
    settings = {**asking(inference.address), "TRACING": "auto", "MAX_NEW_TOKENS_INFERENCE": 2}
    with rag_api(data_dir, **settings) as rag:
        trace_id = rag.ask().json()["trace_id"]
    # the answer's own span, and the other server's below it, which comes when that process has the time
    until(lambda: len(generating(data_dir, trace_id)) == 2)
    own, other = generating(data_dir, trace_id)
    record = records(data_dir)[-1]

    assert other.parent_id == own.id
    assert (record["trace_id"], record["status"]) == (trace_id, "compliant")


def generating(data_dir: Path, trace_id: str) -> list[TracedSpan]:
    """The spans of a trace in which text was generated, the outer one first."""
    spans = [work.spans for work in read_traces(data_dir) if work.trace_id == trace_id]
    return [span for found in spans for span in found if span.name == "generate"]


def records(data_dir: Path) -> list[dict[str, Any]]:
    """What governance of the inference server has kept."""
    log = data_dir / "governance" / "inference.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [json.loads(line) for line in lines]


def test_a_question_with_little_time_is_not_kept_by_a_server_that_loads(tmp_path: Path) -> None:
    may_load = threading.Event()

    def slow() -> System:
        may_load.wait(WAIT_S)
        return memory_system(tmp_path)

    body = {"query": "Why?", "deadline_s": 0.2}
    with serving(slow) as client:
        late = [client.post(path, json=body) for path in ("/rag", "/retrieve")]
        late.append(client.post("/rag", json={**body, "stream": True}))
        may_load.set()

    assert [one.status_code for one in late] == [504] * 3
    assert all("still loading after 0.2 s" in one.json()["error"] for one in late)


def test_a_client_that_leaves_before_the_answer_began_leaves_nothing(
    tmp_path: Path, fake: ModelFake
) -> None:
    fake.otherwise = silent_after()
    with rag_api(tmp_path, **asking(fake.url)) as rag:
        with pytest.raises(httpx.ReadTimeout):
            rag.client.post("/rag", json={"query": "a server"}, timeout=0.3)
        fake.left.get(timeout=10)
        until(lambda: rag.in_work() == 0)
