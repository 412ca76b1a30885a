"""The inference server on a real port: our engine behind it, our client in front of it."""

import queue
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.local.governance import GovernanceLog, verify
from rag_llm_system.infrastructure.opik_utils import OpikTracer, read_traces
from rag_llm_system.infrastructure.serving.keys import new_key
from rag_llm_system.infrastructure.serving.security import Access
from rag_llm_system.model.inference.local import LocalInferenceLLM
from tests.inference_apps import (
    WAIT_S,
    KeptRecords,
    ScriptedEngine,
    app_with,
    health_of,
    serving,
    wait_until_ready,
)
from tests.integration.tiny_engines import tiny_engine

QUESTION = [Message(role="user", content="Where are the vectors kept?")]
BODY = {"prompt": QUESTION[0].content, "max_new_tokens": 8, "temperature": 0, "top_p": 1}


@pytest.fixture(scope="module")
def records() -> KeptRecords:
    return KeptRecords()


@pytest.fixture(scope="module")
def address(records: KeptRecords) -> Iterator[str]:
    def load() -> object:
        return tiny_engine(max_rows=1, max_waiting=1)

    with serving(app_with(load, records=records)) as served:
        wait_until_ready(served)
        yield served


def client(address: str, **options: object) -> LocalInferenceLLM:
    return LocalInferenceLLM(f"{address}/infer", **options)


def answer(address: str, max_tokens: int = 8, **options: object) -> str:
    llm = client(address, **options)
    try:
        return "".join(llm.stream(QUESTION, max_tokens=max_tokens, temperature=0))
    finally:
        llm.close()


def test_the_client_streams_what_the_server_answers_as_a_whole(
    address: str, records: KeptRecords
) -> None:
    whole = httpx.post(f"{address}/infer", json=BODY, timeout=WAIT_S).json()

    assert whole["usage"]["completion_tokens"] == 8
    assert whole["model"] == "tiny"
    assert whole["generated_text"]
    assert "vectors kept" not in whole["generated_text"]
    assert answer(address) == whole["generated_text"]
    assert records.statuses(2) == ["compliant", "compliant"]


def test_what_the_server_writes_in_a_field_is_from_the_context(
    address: str, records: KeptRecords
) -> None:
    free = answer(address)
    field = FromContext(open=free[2], close="!", values=["Zoë"], suffixes={"Zoë": [" (2001)"]})
    llm = client(address)

    held = "".join(
        llm.stream_from_context(QUESTION, max_tokens=40, temperature=0, from_context=[field])
    )
    llm.close()

    before, _, behind = held.partition(field.open)
    assert before == free.partition(field.open)[0]
    assert behind.startswith("Zoë! (2001)")
    assert records.statuses(2) == ["compliant", "compliant"]


def test_fields_that_do_not_go_together_are_the_callers_error(address: str) -> None:
    fields = [FromContext(open="*", close="*"), FromContext(open="**", close="**")]
    llm = client(address)

    with pytest.raises(DataError, match="choose another mark"):
        list(llm.stream_from_context(QUESTION, max_tokens=8, temperature=0, from_context=fields))
    llm.close()


def test_a_client_that_leaves_its_stream_cancels_its_generation(
    address: str, records: KeptRecords
) -> None:
    llm = client(address)
    pieces = llm.stream(QUESTION, max_tokens=4000, temperature=0)
    next(pieces)
    health = health_of(address)
    pieces.close()  # type: ignore[attr-defined]
    llm.close()

    assert health == {
        "status": "ready",
        "device": "cpu",
        "model": "tiny",
        "queue": {"running": 1, "waiting": 0, "max_waiting": 1},
    }
    assert records.statuses(1) == ["cancelled"]
    assert answer(address)  # the engine is free again
    assert records.statuses(1) == ["compliant"]


def test_a_client_that_leaves_without_streaming_cancels_its_generation(
    address: str, records: KeptRecords
) -> None:
    where = urlsplit(address)
    body = b'{"prompt": "a", "max_new_tokens": 4000, "temperature": 0}'
    head = f"POST /infer HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((where.hostname, where.port), WAIT_S) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        while health_of(address)["queue"]["running"] == 0:
            continue

    assert records.statuses(1) == ["cancelled"]
    while health_of(address)["queue"]["running"]:
        continue


def test_requests_wait_their_turn_and_too_many_are_sent_away(
    address: str, records: KeptRecords
) -> None:
    llm = client(address)
    running = llm.stream(QUESTION, max_tokens=4000, temperature=0)
    next(running)
    answers: queue.Queue[httpx.Response] = queue.Queue()

    def ask() -> None:
        body = {"prompt": "a", "max_new_tokens": 1}
        answers.put(httpx.post(f"{address}/infer", json=body, timeout=WAIT_S))

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    refused = answers.get(timeout=WAIT_S)  # one of the two; the other waits
    running.close()  # type: ignore[attr-defined]
    llm.close()

    assert (refused.status_code, answers.get(timeout=WAIT_S).status_code) == (429, 200)
    assert int(refused.headers["retry-after"]) >= 1
    assert "waiting already" in refused.json()["error"]
    for thread in asking:
        thread.join()
    assert records.statuses(2) == ["cancelled", "compliant"]


def test_a_prompt_that_is_too_long_is_the_callers_error(address: str) -> None:
    llm = client(address)
    long = [Message(role="user", content="word " * 5000)]

    with pytest.raises(DataError, match=r"the prompt has \d+ tokens"):
        list(llm.stream(long, max_tokens=8, temperature=0))
    llm.close()


def test_a_server_that_is_not_there_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        gone = f"http://127.0.0.1:{listening.getsockname()[1]}"

    with pytest.raises(BackendError, match=r"poe deploy-inference-local.*LOCAL_INFERENCE_ENDPOINT"):
        answer(gone)


def test_a_server_with_keys_answers_who_has_one() -> None:
    key, kept = new_key("app")

    with serving(app_with(lambda: ScriptedEngine("Hi."), access=Access(keys=(kept,)))) as address:
        wait_until_ready(address)
        assert httpx.get(f"{address}/ready").status_code == 200
        refused = httpx.post(f"{address}/infer", json=BODY)
        with pytest.raises(ConfigurationError, match="LOCAL_INFERENCE_API_KEY"):
            answer(address, api_key=SecretStr("rag_wrong"))
        answered = answer(address, api_key=SecretStr(key))

    assert (refused.status_code, answered) == (401, "Hi.")


def test_a_server_that_is_stopped_ends_its_generation(records: KeptRecords) -> None:
    with serving(app_with(tiny_engine, records=records)) as address:
        wait_until_ready(address)
        llm = client(address)
        pieces = llm.stream(QUESTION, max_tokens=4000, temperature=0)
        next(pieces)

    with pytest.raises(BackendError):
        list(pieces)
    llm.close()
    assert records.statuses(1) == ["cancelled"]


def test_a_server_stops_while_its_model_is_loading() -> None:
    go_on, closed = threading.Event(), threading.Event()

    class Late(ScriptedEngine):
        def close(self) -> None:
            closed.set()

    def load() -> Late:
        assert go_on.wait(WAIT_S)
        return Late()

    with serving(app_with(load)) as address:
        assert health_of(address) == {"status": "loading"}
    go_on.set()

    assert closed.wait(WAIT_S)


def test_an_answer_is_a_span_of_the_callers_trace_and_on_record(tmp_path: Path) -> None:
    tracer = OpikTracer(tmp_path, "twin")
    log = tmp_path / "inference.jsonl"
    app = app_with(lambda: ScriptedEngine("Hi."), records=GovernanceLog(log), tracer=tracer)
    with serving(app) as address:
        wait_until_ready(address)
        with tracer.span("answer") as asking:
            headers = tracer.headers()
            answered = httpx.post(f"{address}/infer", json=BODY, headers=headers).json()
    tracer.close()

    [work] = read_traces(tmp_path, limit=5)
    assert [span.name for span in work.spans] == ["answer", "generate"]
    assert answered["trace_id"] == asking.trace_id
    assert f'"trace_id":"{asking.trace_id}"' in log.read_text(encoding="utf-8").replace(": ", ":")
    assert verify(log).records == 1
