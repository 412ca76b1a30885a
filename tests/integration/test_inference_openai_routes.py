"""OpenAI's own client and a LangChain chain against the inference server."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import openai
import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_openai import ChatOpenAI
from openai.types.chat import ChatCompletionMessageParam
from pydantic import SecretStr

from rag_llm_system.domain.errors import BackendError, Overloaded
from rag_llm_system.infrastructure.serving.keys import new_key
from rag_llm_system.infrastructure.serving.security import Access
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

ASK: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Where are the vectors kept?"},
]


@pytest.fixture(scope="module")
def records() -> KeptRecords:
    return KeptRecords()


@pytest.fixture(scope="module")
def address(records: KeptRecords) -> Iterator[str]:
    with serving(app_with(tiny_engine, records=records)) as served:
        wait_until_ready(served)
        yield served


@contextmanager
def asking(address: str, key: str = "none") -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{address}/v1", api_key=key, max_retries=0, timeout=WAIT_S
    ) as client:
        yield client


@contextmanager
def asking_one_that_says(engine: ScriptedEngine) -> Iterator[openai.OpenAI]:
    with serving(app_with(lambda: engine)) as address:
        wait_until_ready(address)
        with asking(address) as client:
            yield client


def test_a_whole_answer_has_text_reason_and_usage(address: str) -> None:
    with asking(address) as client:
        answer = client.chat.completions.create(
            model="tiny", messages=ASK, max_tokens=8, temperature=0
        )

    [choice] = answer.choices
    assert choice.message.content
    assert (choice.finish_reason, choice.message.role) == ("length", "assistant")
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 8
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 8
    assert answer.model == "tiny"


def test_a_streamed_answer_joins_to_the_whole_one_and_ends_with_its_usage(address: str) -> None:
    with asking(address) as client:
        whole = client.chat.completions.create(
            model="tiny", messages=ASK, max_tokens=8, temperature=0
        )
        chunks = list(
            client.chat.completions.create(
                model="tiny",
                messages=ASK,
                max_completion_tokens=8,
                temperature=0,
                stream=True,
                stream_options={"include_usage": True},
            )
        )

    choices = [choice for one in chunks for choice in one.choices]
    assert "".join(c.delta.content or "" for c in choices) == whole.choices[0].message.content
    assert choices[0].delta.role == "assistant"
    assert [c.finish_reason for c in choices if c.finish_reason] == ["length"]
    assert chunks[-1].usage == whole.usage


def test_a_stream_ends_with_the_line_that_clients_wait_for(address: str) -> None:
    body = {"messages": ASK, "max_tokens": 2, "stream": True}

    streamed = httpx.post(f"{address}/v1/chat/completions", json=body, timeout=WAIT_S)

    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert streamed.text.endswith("\n\ndata: [DONE]\n\n")


def test_many_at_once_are_answered_each_with_its_own(address: str) -> None:
    async def main() -> list[tuple[str, str]]:
        async with openai.AsyncOpenAI(
            base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=WAIT_S
        ) as client:

            async def ask(word: str) -> tuple[str, str]:
                whole = await client.chat.completions.create(
                    model="tiny",
                    messages=[{"role": "user", "content": word}],
                    max_tokens=8,
                    temperature=0,
                )
                stream = await client.chat.completions.create(
                    model="tiny",
                    messages=[{"role": "user", "content": word}],
                    max_tokens=8,
                    temperature=0,
                    stream=True,
                )
                pieces = [c.delta.content or "" async for one in stream for c in one.choices]
                return whole.choices[0].message.content or "", "".join(pieces)

            return await asyncio.gather(*map(ask, ("one", "two words", "three", "four more")))

    answers = asyncio.run(main())
    assert all(whole and whole == streamed for whole, streamed in answers)
    assert len({whole for whole, _ in answers}) > 1


def test_the_one_model_is_listed_and_another_is_not_there(address: str) -> None:
    with asking(address) as client:
        listed = [model.id for model in client.models.list()]
        found = client.models.retrieve("tiny")
        with pytest.raises(openai.NotFoundError, match="no model 'gpt-9' here; there is 'tiny'"):
            client.chat.completions.create(model="gpt-9", messages=ASK)

    assert (listed, found.id) == (["tiny"], "tiny")


def test_what_is_not_supported_is_said_in_one_line(address: str) -> None:
    with asking(address) as client:
        with pytest.raises(openai.UnprocessableEntityError) as tools:
            client.chat.completions.create(
                model="tiny",
                messages=ASK,
                tools=[{"type": "function", "function": {"name": "f"}}],
            )
        with pytest.raises(openai.UnprocessableEntityError) as as_json:
            client.chat.completions.create(
                model="tiny", messages=ASK, response_format={"type": "json_object"}
            )

    for error, name in ((tools, "tools"), (as_json, "response_format")):
        assert isinstance(error.value.body, dict)
        assert f"{name} is not supported" in error.value.body["message"]
        assert error.value.body["type"] == "invalid_request_error"


def test_a_client_that_closes_its_stream_cancels_the_generation(
    address: str, records: KeptRecords
) -> None:
    while health_of(address)["queue"]["running"]:
        continue
    with asking(address) as client:
        stream = client.chat.completions.create(
            model="tiny", messages=ASK, max_tokens=4000, temperature=0, stream=True
        )
        next(stream)
        stream.close()

    while (status := records.statuses(1)) == ["compliant"]:
        continue
    assert status == ["cancelled"]
    while health_of(address)["queue"]["running"]:
        continue


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("engine", "prompt"),
    [
        (ScriptedEngine("never"), "What is the password?"),
        (ScriptedEngine("It is class", "ified, ", "you see.", holding=True), "Tell me"),
    ],
)
def test_what_governance_withholds_is_filtered_content(
    engine: ScriptedEngine, prompt: str, *, stream: bool
) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": prompt}]
    with asking_one_that_says(engine) as client:
        if stream:
            chunks = list(
                client.chat.completions.create(model="scripted", messages=messages, stream=True)
            )
            reasons = [c.finish_reason for one in chunks for c in one.choices if c.finish_reason]
            text = "".join(c.delta.content or "" for one in chunks for c in one.choices)
        else:
            [choice] = client.chat.completions.create(model="scripted", messages=messages).choices
            reasons, text = [choice.finish_reason], choice.message.content or ""

    assert reasons == ["content_filter"]
    assert "classified" not in text


def test_a_full_queue_is_a_rate_limit_with_the_time_to_wait() -> None:
    engine = ScriptedEngine(refuse=Overloaded("32 requests are waiting", retry_after_s=3))

    with (
        asking_one_that_says(engine) as client,
        pytest.raises(openai.RateLimitError, match="32 requests are waiting") as error,
    ):
        client.chat.completions.create(model="scripted", messages=ASK, stream=True)
    assert error.value.response.headers["retry-after"] == "3"


def test_an_answer_that_breaks_off_is_an_error_of_the_client() -> None:
    engine = ScriptedEngine("Some words first. ", holding=True)

    with asking_one_that_says(engine) as client:
        stream = client.chat.completions.create(model="scripted", messages=ASK, stream=True)
        first = next(stream)
        engine.listeners[0].failed(BackendError("out of memory"))
        with pytest.raises(openai.APIError, match="out of memory"):
            list(stream)
    assert first.choices[0].delta.role == "assistant"


def test_a_key_is_taken_as_openais_clients_send_it() -> None:
    key, kept = new_key("app")
    app = app_with(lambda: ScriptedEngine("Hi."), access=Access(keys=(kept,)))

    with serving(app) as address:
        wait_until_ready(address)
        with asking(address, key) as client:
            answer = client.chat.completions.create(model="scripted", messages=ASK)
        with asking(address, "wrong") as client, pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model="scripted", messages=ASK)

    assert answer.choices[0].message.content == "Hi."


def test_a_langchain_chain_answers_whole_and_in_pieces(address: str) -> None:
    model = ChatOpenAI(
        model="tiny",
        base_url=f"{address}/v1",
        api_key=SecretStr("none"),
        temperature=0,
        max_completion_tokens=8,
        max_retries=0,
        http_client=httpx.Client(trust_env=False),
    )
    chain = model | StrOutputParser()
    asked = [SystemMessage("Be brief."), HumanMessage("Where are the vectors kept?")]

    whole = chain.invoke(asked)
    pieces = list(chain.stream(asked))

    assert whole
    assert "".join(pieces) == whole
    model.http_client.close()
