"""The inference server on a real port: our engine behind it, our client in front of it."""

import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, DataError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.local.governance import GovernanceMonitor, GovernanceRecord
from rag_llm_system.infrastructure.local.local_deploy import create_app
from rag_llm_system.model.finetuning.base_model import make_scratch
from rag_llm_system.model.finetuning.config import ScratchSettings
from rag_llm_system.model.inference.engine import GenerationEngine
from rag_llm_system.model.inference.local import LocalInferenceLLM

WAIT_S = 30
QUESTION = [Message(role="user", content="Where are the vectors kept?")]
Records = queue.Queue[GovernanceRecord]


def load_engine() -> GenerationEngine:
    shape = ScratchSettings(
        vocab_size=400, hidden_size=64, layers=2, heads=2, kv_heads=1, max_positions=4096
    )
    return GenerationEngine(make_scratch(shape, ["a few words"], seed=1), "tiny", max_waiting=1)


@contextmanager
def serving(records: Records) -> Iterator[str]:
    """The address of ``/infer``; connections wait in the listening socket until the server is up."""
    app = create_app(load_engine, GovernanceMonitor(keep=records.put))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/infer"
        finally:
            server.should_exit = True
            thread.join(WAIT_S)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def records() -> Records:
    return queue.Queue()


@pytest.fixture(scope="module")
def url(records: Records) -> Iterator[str]:
    with serving(records) as address:
        ready(address)
        yield address


def ready(address: str) -> None:
    health = address.replace("/infer", "/health")
    while httpx.get(health, timeout=WAIT_S).json()["status"] == "loading":
        continue


def answer(url: str, max_tokens: int = 8) -> str:
    return "".join(LocalInferenceLLM(url).stream(QUESTION, max_tokens=max_tokens, temperature=0))


def test_the_client_streams_what_the_server_answers_as_a_whole(url: str, records: Records):
    body = {"prompt": QUESTION[0].content, "max_new_tokens": 8, "temperature": 0, "top_p": 1}

    whole = httpx.post(url, json=body, timeout=WAIT_S).json()

    assert whole["usage"]["completion_tokens"] == 8
    assert whole["generated_text"]
    assert "vectors kept" not in whole["generated_text"]
    assert answer(url) == whole["generated_text"]
    assert [records.get(timeout=WAIT_S).status for _ in range(2)] == ["compliant", "compliant"]


def test_what_the_server_writes_in_a_field_is_from_the_context(url: str, records: Records):
    free = answer(url)
    field = FromContext(open=free[2], close="!", values=["Zoë"], suffixes={"Zoë": [" (2001)"]})

    held = "".join(
        LocalInferenceLLM(url).stream_from_context(
            QUESTION, max_tokens=40, temperature=0, from_context=[field]
        )
    )

    before, _, behind = held.partition(field.open)
    assert before == free.partition(field.open)[0]
    assert behind.startswith("Zoë! (2001)")
    assert [records.get(timeout=WAIT_S).status for _ in range(2)] == ["compliant", "compliant"]


def test_fields_that_do_not_go_together_are_the_callers_error(url: str):
    fields = [FromContext(open="*", close="*"), FromContext(open="**", close="**")]

    with pytest.raises(DataError, match="choose another mark"):
        list(
            LocalInferenceLLM(url).stream_from_context(
                QUESTION, max_tokens=8, temperature=0, from_context=fields
            )
        )


def test_a_client_that_leaves_cancels_its_generation(url: str, records: Records):
    pieces = LocalInferenceLLM(url).stream(QUESTION, max_tokens=4000, temperature=0)
    next(pieces)
    health = httpx.get(url.replace("/infer", "/health"), timeout=WAIT_S).json()
    pieces.close()  # type: ignore[attr-defined]

    assert health == {"status": "ready", "device": "cpu", "model": "tiny"}
    assert records.get(timeout=WAIT_S).status == "cancelled"
    assert answer(url)  # the engine is free again
    assert records.get(timeout=WAIT_S).status == "compliant"


def test_requests_wait_their_turn_and_too_many_are_sent_away(url: str, records: Records):
    running = LocalInferenceLLM(url).stream(QUESTION, max_tokens=4000, temperature=0)
    next(running)
    body = {"prompt": "a", "max_new_tokens": 1}
    statuses: queue.Queue[int] = queue.Queue()

    def ask() -> None:
        statuses.put(httpx.post(url, json=body, timeout=WAIT_S).status_code)

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    refused = statuses.get(timeout=WAIT_S)  # one of the two; the other waits
    running.close()  # type: ignore[attr-defined]

    assert (refused, statuses.get(timeout=WAIT_S)) == (429, 200)
    for thread in asking:
        thread.join()
    assert sorted(records.get(timeout=WAIT_S).status for _ in range(2)) == [
        "cancelled",
        "compliant",
    ]


def test_a_prompt_that_is_too_long_is_the_callers_error(url: str):
    long = [Message(role="user", content="word " * 5000)]

    with pytest.raises(DataError, match=r"the prompt has \d+ tokens"):
        list(LocalInferenceLLM(url).stream(long, max_tokens=8, temperature=0))


def test_a_server_that_is_not_there_is_named_with_the_way_out():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/infer"

    with pytest.raises(BackendError, match=r"poe deploy-inference-local.*LOCAL_INFERENCE_ENDPOINT"):
        answer(address)


def test_a_server_that_says_nothing_does_not_hold_the_client():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        llm = LocalInferenceLLM(
            f"http://127.0.0.1:{silent.getsockname()[1]}/infer", read_timeout_s=0.1
        )
        with pytest.raises(BackendError, match=r"sent nothing for 0\.1 s"):
            list(llm.stream(QUESTION, max_tokens=8, temperature=0))


def test_a_server_that_is_stopped_ends_its_generation(records: Records):
    with serving(records) as address:
        ready(address)
        pieces = LocalInferenceLLM(address).stream(QUESTION, max_tokens=4000, temperature=0)
        next(pieces)

    with pytest.raises(BackendError, match=r"broke off|ended the answer early"):
        list(pieces)
    assert records.get(timeout=WAIT_S).status == "cancelled"
