"""What every language model promises, and every server of one in its worst moments."""

import asyncio
import re
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import SecretStr

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import (
    BackendError,
    ConfigurationError,
    DataError,
    Overloaded,
    RagSystemError,
)
from rag_llm_system.domain.ports import AsyncLLM
from rag_llm_system.infrastructure.llms import LLMS
from rag_llm_system.infrastructure.llms.timeouts import Timeouts
from rag_llm_system.infrastructure.loading import load
from tests.model_servers import (
    ModelFake,
    Talk,
    answering,
    dying_after,
    dying_after_the_end,
    echoing,
    ending_early_after,
    endless,
    failing_after,
    in_single_bytes,
    model_server,
    refusing,
    sending,
    silent_after,
)

WAIT_S = 30
KEY = "a-key-without-a-shape"
QUESTION = (Message(role="system", content="Be brief."), Message(role="user", content="Where?"))
SERVERS = sorted(set(LLMS) - {"scripted"})
OVER_HTTPX = sorted(set(SERVERS) - {"sagemaker"})
ADDRESSES: dict[str, Callable[[str], dict[str, Any]]] = {
    "openai": lambda url: {
        "model_id": "toy",
        "base_url": f"{url}/v1",
        "api_key": SecretStr(KEY),
    },
    "local": lambda url: {"url": f"{url}/infer", "api_key": SecretStr(KEY)},
    "ollama": lambda url: {"model_id": "toy", "base_url": url},
    "sagemaker": lambda _: {"endpoint": "toy"},
}
SETTINGS = {
    "openai": "OPENAI_API_KEY",
    "local": "LOCAL_INFERENCE_API_KEY",
    "ollama": "OLLAMA_BASE_URL",
}

over_http = pytest.mark.parametrize("backend", OVER_HTTPX, indirect=True)
with_key = pytest.mark.parametrize("backend", ["openai", "local"], indirect=True)

Make = Callable[..., Any]


@pytest.fixture(params=SERVERS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fake(backend: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[ModelFake]:
    with model_server(backend) as server:
        aws = {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        }
        for name, value in aws.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def make(backend: str, fake: ModelFake) -> Iterator[Make]:
    opened = []

    def connect(**options: Any) -> Any:
        opened.append(load("LLM backend", backend, LLMS)(**ADDRESSES[backend](fake.url), **options))
        return opened[-1]

    yield connect
    for llm in opened:
        llm.close()


@pytest.fixture
def llm(make: Make) -> Any:
    return make()


def pieces_of(llm: AsyncLLM, question: str = "Where?") -> AsyncGenerator[str]:
    messages = [QUESTION[0], Message(role="user", content=question)]
    return llm.astream(messages, max_tokens=20, temperature=0.5)


async def asked(llm: AsyncLLM, question: str = "Where?") -> list[str]:
    async with aclosing(pieces_of(llm, question)) as pieces:
        return [piece async for piece in pieces]


def answer(llm: Any) -> str:
    return "".join(llm.stream(QUESTION, max_tokens=20, temperature=0.5))


def heard(llm: Any) -> tuple[list[str], RagSystemError]:
    """The pieces that came before it failed, and how it did."""
    pieces: list[str] = []

    def collect() -> None:
        for piece in llm.stream(QUESTION, max_tokens=20, temperature=0.5):
            pieces.append(piece)

    with pytest.raises(RagSystemError) as caught:
        collect()
    return pieces, caught.value


@pytest.mark.parametrize("name", sorted(LLMS))
def test_every_model_answers_without_a_thread_of_its_own(name: str) -> None:
    assert callable(load("LLM backend", name, LLMS).astream)


def test_the_scripted_model_says_the_same_either_way() -> None:
    scripted = load("LLM backend", "scripted", LLMS)(["one two three"])
    assert answer(scripted) == "one two three "
    assert asyncio.run(asked(scripted)) == ["one ", "two ", "three "]


def test_a_whole_answer_joins_its_pieces(llm: Any, fake: ModelFake) -> None:
    fake.otherwise = answering("", "Good", "", " day.", "")
    assert isinstance(llm, AsyncLLM)
    assert asyncio.run(asked(llm)) == ["Good", " day."]
    assert answer(llm) == "Good day."


def test_an_answer_is_whole_however_its_connection_ends(llm: Any, fake: ModelFake) -> None:
    fake.otherwise = dying_after_the_end
    assert answer(llm) == "Good day."


def test_messages_arrive_in_order(llm: Any, fake: ModelFake) -> None:
    answer(llm)
    assert fake.asked[0]["messages"] == [m.model_dump() for m in QUESTION]
    assert fake.asked[0]["stream"] is True


def test_characters_that_are_split_or_end_lines_elsewhere_arrive_whole(
    llm: Any, fake: ModelFake
) -> None:
    texts = ["Où ? ", "🜚 ", "a\u2028b\u0085c\x0b\r\nd", "漢字"]
    fake.otherwise = in_single_bytes(*texts)
    assert asyncio.run(asked(llm)) == texts


def test_an_iterator_that_is_closed_ends_the_generation(llm: Any, fake: ModelFake) -> None:
    fake.otherwise = endless
    pieces = llm.stream(QUESTION, max_tokens=20, temperature=0)
    assert next(pieces) == "more "
    pieces.close()
    assert fake.left.get(timeout=WAIT_S)


def test_a_generator_that_is_closed_ends_the_generation(llm: Any, fake: ModelFake) -> None:
    async def leave() -> None:
        pieces = pieces_of(llm)
        assert await anext(pieces) == "more "
        await pieces.aclose()
        assert await asyncio.to_thread(fake.left.get, timeout=WAIT_S)

    fake.otherwise = endless
    asyncio.run(leave())


def test_a_task_that_is_cancelled_ends_the_generation(llm: Any, fake: ModelFake) -> None:
    async def leave() -> None:
        began = asyncio.Event()

        async def read() -> None:
            async with aclosing(pieces_of(llm)) as pieces:
                async for _ in pieces:
                    began.set()

        task = asyncio.create_task(read())
        await began.wait()
        task.cancel()
        assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], BaseException)
        assert await asyncio.to_thread(fake.left.get, timeout=WAIT_S)

    fake.otherwise = endless
    asyncio.run(leave())


def test_nothing_is_left_of_fifty_answers_that_were_broken_off(llm: Any, fake: ModelFake) -> None:
    async def leave_often() -> None:
        for _ in range(50):
            pieces = pieces_of(llm)
            await anext(pieces)
            await pieces.aclose()
        for _ in range(50):
            await asyncio.to_thread(fake.left.get, timeout=WAIT_S)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        fake.otherwise = answering("Good", " day.")
        assert await asked(llm) == ["Good", " day."]

    fake.otherwise = endless
    asyncio.run(leave_often())
    threads = [t for t in threading.enumerate() if t.name == "language model"]
    for thread in threads:  # a library that blocks ends its own with the next piece
        thread.join(WAIT_S)
    assert [thread for thread in threads if thread.is_alive()] == []


def test_twenty_answers_at_once_do_not_mix(llm: Any, fake: ModelFake) -> None:
    async def ask_all() -> list[list[str]]:
        return await asyncio.gather(*(asked(llm, f"{n} {n} {n}") for n in range(20)))

    fake.otherwise = echoing
    assert asyncio.run(ask_all()) == [[f"{n} "] * 3 for n in range(20)]


def test_a_server_that_says_nothing_is_left(make: Make, fake: ModelFake) -> None:
    fake.otherwise = silent_after()
    pieces, error = heard(make(timeouts=Timeouts(read_s=0.2, idle_s=0.2)))
    assert isinstance(error, BackendError)
    assert "sent nothing for 0.2 s; look at its log, or raise LLM_READ_TIMEOUT_S" in str(error)
    assert pieces == []
    assert fake.left.get(timeout=WAIT_S)


def test_a_server_that_falls_silent_is_left(make: Make, fake: ModelFake) -> None:
    fake.otherwise = silent_after("Good")
    pieces, error = heard(make(timeouts=Timeouts(read_s=20, idle_s=0.2)))
    assert "sent nothing for 0.2 s; look at its log, or raise LLM_IDLE_TIMEOUT_S" in str(error)
    assert pieces == ["Good"]


@pytest.mark.parametrize(
    ("behaviour", "came", "message"),
    [
        (dying_after("Good"), ["Good"], "broke off|no answer|ended the answer early"),
        (dying_after(), [], "broke off|no answer"),
        (ending_early_after("Good"), ["Good"], "ended the answer early"),
        (failing_after("Good"), ["Good"], "failed: out of memory"),
    ],
)
def test_what_came_before_a_failure_is_passed_on_and_nothing_is_asked_again(
    llm: Any, fake: ModelFake, behaviour: Any, came: list[str], message: str
) -> None:
    fake.otherwise = behaviour
    pieces, error = heard(llm)
    assert isinstance(error, BackendError)
    assert (pieces, len(fake.asked)) == (came, 1)
    assert re.search(message, str(error))


@pytest.mark.parametrize(
    "garbage", [b"<html>no model here</html>", b"{}\n", b"[1, 2", b"\xff\xfe" * 99]
)
def test_garbage_is_a_backend_that_failed(llm: Any, fake: ModelFake, garbage: bytes) -> None:
    fake.otherwise = sending(garbage)
    pieces, error = heard(llm)
    assert isinstance(error, BackendError)
    assert pieces == []


def test_a_line_without_end_is_not_collected_for_ever(llm: Any, fake: ModelFake) -> None:
    fake.otherwise = sending(b"x" * (3 << 20))
    assert isinstance(heard(llm)[1], BackendError)


def test_a_server_that_failed_often_is_not_asked_for_a_while(llm: Any, fake: ModelFake) -> None:
    fake.otherwise = dying_after()
    for _ in range(5):
        heard(llm)
    pieces, error = heard(llm)
    assert "failed 5 times in a row; asked again in 15 s" in str(error)
    assert (pieces, len(fake.asked)) == ([], 5)


@over_http
def test_a_question_that_waits_for_its_first_piece_can_be_cancelled(
    llm: Any, fake: ModelFake
) -> None:
    async def leave() -> None:
        task = asyncio.create_task(asked(llm))
        await asyncio.to_thread(arrived.wait, WAIT_S)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert await asyncio.to_thread(fake.left.get, timeout=WAIT_S)

    def waiting(to: Talk) -> None:
        arrived.set()
        silent_after()(to)

    arrived = threading.Event()
    fake.otherwise = waiting
    asyncio.run(leave())


@over_http
@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_a_setting_to_change(
    llm: Any, fake: ModelFake, backend: str, status: int
) -> None:
    fake.otherwise = refusing(status, f"no such key: {KEY}")
    with pytest.raises(ConfigurationError, match=SETTINGS[backend]) as caught:
        answer(llm)
    assert KEY not in str(caught.value)


@with_key
@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_question_that_is_refused_says_why_and_never_the_key(
    llm: Any, fake: ModelFake, status: int
) -> None:
    fake.otherwise = refusing(status, f"over 4096 tokens {KEY}")
    with pytest.raises(DataError, match="refused the question: over 4096 tokens") as caught:
        answer(llm)
    assert KEY not in str(caught.value)


@over_http
def test_refused_questions_do_not_count_as_failures(llm: Any, fake: ModelFake) -> None:
    fake.script = [refusing(422)] * 9
    for _ in range(9):
        heard(llm)
    assert answer(llm) == "Good day."


@over_http
def test_a_busy_server_is_asked_again_when_it_says(llm: Any, fake: ModelFake) -> None:
    fake.script = [refusing(429, Retry_After="0"), refusing(503, Retry_After="0")]
    assert answer(llm) == "Good day."
    assert len(fake.asked) == 3


@over_http
def test_a_server_that_is_busy_for_longer_says_how_long(llm: Any, fake: ModelFake) -> None:
    fake.otherwise = refusing(429, "queue is full", Retry_After="700")
    with pytest.raises(Overloaded, match="too many questions: queue is full") as caught:
        answer(llm)
    assert (caught.value.retry_after_s, len(fake.asked)) == (700, 1)


@over_http
def test_a_server_that_loads_for_longer_is_not_there(llm: Any, fake: ModelFake) -> None:
    fake.otherwise = refusing(503, "the model is loading", Retry_After="700")
    with pytest.raises(BackendError, match="answered 503: the model is loading"):
        answer(llm)


@over_http
def test_answers_share_a_connection(llm: Any, fake: ModelFake) -> None:
    async def ask_in_turn() -> None:
        for _ in range(5):
            await asked(llm)

    asyncio.run(ask_in_turn())
    assert len({question["client"] for question in fake.asked}) == 1


@over_http
def test_a_client_that_is_closed_opens_again(llm: Any, fake: ModelFake) -> None:
    async def ask_around_a_close() -> None:
        await asked(llm)
        llm.close()
        assert await asked(llm) == ["Good", " day."]

    asyncio.run(ask_around_a_close())
    assert len({question["client"] for question in fake.asked}) == 2


@over_http
def test_headers_are_made_for_each_request(make: Make, fake: ModelFake) -> None:
    ids = iter(["one", "two"])
    llm = make(headers=lambda: {"X-Opik-Trace-Id": next(ids)})
    answer(llm)
    asyncio.run(asked(llm))
    assert [q["headers"]["x-opik-trace-id"] for q in fake.asked] == ["one", "two"]


@over_http
def test_a_server_that_is_not_there_is_named_with_its_setting(make: Make, backend: str) -> None:
    with model_server(backend) as gone:
        url = gone.url
    llm = load("LLM backend", backend, LLMS)(**ADDRESSES[backend](url))
    with pytest.raises(BackendError, match=rf"no connection to .* at {url}.*_URL"):
        answer(llm)


@pytest.mark.parametrize("backend", ["ollama", "openai"], indirect=True)
def test_an_unknown_model_is_told_with_those_that_are_there(
    backend: str, fake: ModelFake, make: Make
) -> None:
    fake.otherwise = refusing(404, "model not found")
    address = {**ADDRESSES[backend](fake.url), "model_id": "phi-3"}
    llm = load("LLM backend", backend, LLMS)(**address)
    with pytest.raises(
        ConfigurationError,
        match=rf"no model 'phi-3'; the server has: phi3:mini, toy; set {backend.upper()}_MODEL_ID",
    ):
        answer(llm)
    assert llm.list_models() == ["phi3:mini", "toy"]


@with_key
def test_the_key_is_sent_as_a_bearer(llm: Any, fake: ModelFake) -> None:
    answer(llm)
    assert fake.asked[0]["headers"]["authorization"] == f"Bearer {KEY}"
