"""OpenAI's own client and a LangChain chain against the RAG API."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI
from openai.types.chat import ChatCompletionMessageParam
from pydantic import SecretStr

from rag_llm_system.infrastructure.serving.keys import new_key
from rag_llm_system.infrastructure.serving.security import Access
from tests.model_servers import dying_after, model_server, silent_after
from tests.two_servers import QUESTION, STOPS, WAIT_S, Rag, asking, rag_api

MODEL = "rag-llm-system"
ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]


@pytest.fixture(scope="module")
def rag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    with rag_api(tmp_path_factory.mktemp("data")) as served:
        yield served


@contextmanager
def client_of(rag: Rag, key: str = "none") -> Iterator[openai.OpenAI]:
    base_url = f"{rag.server.address}/v1"
    with openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=WAIT_S) as client:
        yield client


def test_an_answer_ends_with_its_sources_and_has_them_as_data(rag: Rag) -> None:
    with client_of(rag) as client:
        answer = client.chat.completions.create(model=MODEL, messages=ASK)
        with_k = client.chat.completions.create(
            model=MODEL, messages=ASK, extra_body={"filters": {"author_id": "nobody"}}
        )

    [choice] = answer.choices
    assert choice.finish_reason == "stop"
    assert choice.message.content is not None
    assert STOPS in choice.message.content
    assert choice.message.content.endswith("Sources:\n[1] A title - http://a.example/server")
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.model_extra is not None
    assert answer.model_extra["sources"][0]["link"] == "http://a.example/server"
    assert with_k.model_extra is not None
    assert with_k.model_extra["sources"] == []


def test_a_stream_joins_to_the_whole_answer_and_ends_with_its_usage(rag: Rag) -> None:
    with client_of(rag) as client:
        whole = client.chat.completions.create(model=MODEL, messages=ASK)
        chunks = list(
            client.chat.completions.create(
                model=MODEL, messages=ASK, stream=True, stream_options={"include_usage": True}
            )
        )

    choices = [choice for one in chunks for choice in one.choices]
    assert "".join(c.delta.content or "" for c in choices) == whole.choices[0].message.content
    assert choices[0].delta.role == "assistant"
    assert [c.finish_reason for c in choices if c.finish_reason] == ["stop"]
    assert chunks[-1].usage == whole.usage


def test_many_ask_at_once(rag: Rag) -> None:
    async def main() -> list[Any]:
        async with openai.AsyncOpenAI(
            base_url=f"{rag.server.address}/v1", api_key="none", max_retries=0, timeout=WAIT_S
        ) as client:

            async def whole() -> str | None:
                answer = await client.chat.completions.create(model=MODEL, messages=ASK)
                return answer.choices[0].message.content

            async def streamed() -> str:
                stream = await client.chat.completions.create(
                    model=MODEL, messages=ASK, stream=True
                )
                return "".join([c.delta.content or "" async for one in stream for c in one.choices])

            return await asyncio.gather(*(ask() for ask in (whole, streamed) for _ in range(4)))

    answers = asyncio.run(main())
    assert len(answers) == 8
    assert len(set(answers)) == 1


def test_the_models_are_listed_and_another_is_not_found(rag: Rag) -> None:
    with client_of(rag) as client:
        listed = [model.id for model in client.models.list()]
        assert listed == [MODEL, f"{MODEL}/code", f"{MODEL}/movies"]
        assert [client.models.retrieve(id).id for id in listed] == listed
        for ask in (
            lambda: client.chat.completions.create(model="gpt-9", messages=ASK),
            lambda: client.models.retrieve("gpt-9"),
        ):
            with pytest.raises(openai.NotFoundError, match="no model 'gpt-9' here; there are"):
                ask()


def test_what_is_not_supported_or_not_valid_is_an_error_in_one_line(rag: Rag) -> None:
    tool: Any = {"type": "function", "function": {"name": "f"}}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"tools": [tool]}, "tools is not supported"),
        ({"n": 2}, "n is not supported"),
        ({"temperature": 7}, "temperature: Input should be less than or equal to 2"),
        ({"extra_body": {"k": 0}}, "k: Input should be greater than or equal to 1"),
        ({"messages": []}, "messages: List should have at least 1 item"),
        ({"messages": [{"role": "user", "content": "a" * 4001}]}, "over 4000 characters"),
    ]
    with client_of(rag) as client:
        for body, line in wrong:
            with pytest.raises(openai.UnprocessableEntityError, match=line) as error:
                client.chat.completions.create(**{"model": MODEL, "messages": ASK, **body})
            assert isinstance(error.value.body, dict)
            assert error.value.body["type"] == "invalid_request_error"
            assert "\n" not in error.value.body["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_refused_before_anything_was_sent_has_its_status(rag: Rag, *, stream: bool) -> None:
    blank: list[ChatCompletionMessageParam] = [{"role": "user", "content": "   "}]
    with (
        client_of(rag) as client,
        pytest.raises(openai.BadRequestError, match="the question is empty"),
    ):
        client.chat.completions.create(model=MODEL, messages=blank, stream=stream)


def test_a_key_is_needed_where_keys_are_set_and_its_rate_is_limited(tmp_path: Path) -> None:
    key, kept = new_key("app")
    with rag_api(tmp_path, access=Access(keys=(kept,), rate_per_minute=1)) as rag:
        with client_of(rag, "wrong") as client, pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model=MODEL, messages=ASK)
        with client_of(rag, key) as client:
            assert client.chat.completions.create(model=MODEL, messages=ASK).choices
            with pytest.raises(openai.RateLimitError, match="more than 1 requests") as error:
                client.chat.completions.create(model=MODEL, messages=ASK)
    assert int(error.value.response.headers["retry-after"]) > 0


def test_an_inference_server_that_fails_is_an_error_of_the_client(tmp_path: Path) -> None:
    with (
        model_server("local") as fake,
        rag_api(tmp_path, **asking(fake.url)) as rag,
        client_of(rag) as client,
    ):
        fake.script = [dying_after(), dying_after("The server stops ")]
        with pytest.raises(openai.InternalServerError, match="broke off") as error:
            client.chat.completions.create(model=MODEL, messages=ASK)
        stream = client.chat.completions.create(model=MODEL, messages=ASK, stream=True)
        with pytest.raises(openai.APIError, match="broke off"):
            list(stream)
    assert error.value.status_code == 503


def test_a_client_that_closes_its_stream_ends_the_answer(tmp_path: Path) -> None:
    with (
        model_server("local") as fake,
        rag_api(tmp_path, **asking(fake.url)) as rag,
        client_of(rag) as client,
    ):
        fake.script = [silent_after("The server stops by itself. [1]\n", "And")]
        stream = client.chat.completions.create(model=MODEL, messages=ASK, stream=True)
        while not (next(stream).choices[0].delta.content or "").strip():
            continue
        stream.close()
        fake.left.get(timeout=WAIT_S)
        while rag.in_work():
            continue


def chain(rag: Rag) -> tuple[Runnable[dict[str, str], str], httpx.Client, httpx.AsyncClient]:
    """With its clients, which are the caller's to close."""
    sync, asynchronous = httpx.Client(trust_env=False), httpx.AsyncClient(trust_env=False)
    model = ChatOpenAI(
        model=MODEL,
        base_url=f"{rag.server.address}/v1",
        api_key=SecretStr("none"),
        max_retries=0,
        http_client=sync,
        http_async_client=asynchronous,
    )
    prompt = ChatPromptTemplate([("system", "Be brief."), ("user", "{question}")])
    return prompt | model | StrOutputParser(), sync, asynchronous


def test_a_langchain_chain_answers_whole_and_in_pieces(rag: Rag) -> None:
    answering, sync, asynchronous = chain(rag)
    asked = {"question": QUESTION}

    async def later() -> tuple[str, str]:
        async with asynchronous:
            pieces = [piece async for piece in answering.astream(asked)]
            return "".join(pieces), await answering.ainvoke(asked)

    with sync:
        whole, pieces = answering.invoke(asked), list(answering.stream(asked))
    streamed, whole_later = asyncio.run(later())

    assert STOPS in whole
    assert "".join(pieces) == streamed == whole_later == whole
    assert len(pieces) > 1
