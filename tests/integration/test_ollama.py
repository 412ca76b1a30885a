"""Ollama: its options, and the service that hands each token to a callback."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError
from rag_llm_system.infrastructure.llms.ollama import OllamaChat
from rag_llm_system.infrastructure.llms.service import LLMService
from rag_llm_system.infrastructure.llms.timeouts import Timeouts
from tests.model_servers import (
    ModelFake,
    Talk,
    answering,
    endless,
    model_server,
    refusing,
    sending,
    silent_after,
)

WAIT_S = 30
ASK = [Message(role="user", content="Write a function.")]


@pytest.fixture
def fake() -> Iterator[ModelFake]:
    with model_server("ollama") as server:
        yield server


def answer(llm: OllamaChat) -> str:
    return "".join(llm.stream(ASK, max_tokens=1000, temperature=0.7))


def test_the_documented_options_are_sent(fake: ModelFake) -> None:
    llm = OllamaChat("codellama:34b", fake.url, num_ctx=4096, num_gpu=99, top_p=0.8)
    assert answer(llm) == "Good day."
    assert (fake.asked[0]["path"], fake.asked[0]["model"]) == ("/api/chat", "codellama:34b")
    assert fake.asked[0]["options"] == {
        "num_ctx": 4096,
        "num_gpu": 99,
        "temperature": 0.7,
        "top_p": 0.8,
        "num_predict": 1000,
    }


def test_without_a_number_of_layers_ollama_decides(fake: ModelFake) -> None:
    answer(OllamaChat("toy", fake.url))
    assert fake.asked[0]["options"] == {
        "num_ctx": 8192,
        "temperature": 0.7,
        "top_p": 0.9,
        "num_predict": 1000,
    }


def test_a_path_in_the_address_is_a_setting_to_change(fake: ModelFake) -> None:
    fake.otherwise = refusing(404, "not found")
    with pytest.raises(ConfigurationError, match="check OLLAMA_BASE_URL and OLLAMA_MODEL_ID"):
        answer(OllamaChat("other", f"{fake.url}/v1"))


def test_what_the_model_thinks_is_no_part_of_the_answer(fake: ModelFake) -> None:
    def thinking(to: Talk) -> None:
        to.begin()
        to.send(b'{"message": {"content": "", "thinking": "hm"}, "done": false}\n')
        to.send(to.fake.dialect.piece("Yes.") + to.fake.dialect.end)
        to.send(b"")

    fake.otherwise = thinking
    assert answer(OllamaChat("toy", fake.url)) == "Yes."


def generating(*texts: str) -> Any:
    lines = [f'{{"response": "{text}", "done": false}}\n' for text in texts]
    return sending("".join([*lines, '{"response": "", "done": true}\n']).encode())


def test_each_token_is_handed_to_the_callback(fake: ModelFake) -> None:
    async def later(token: str) -> None:
        await asyncio.sleep(0)
        heard.append(token)

    heard: list[str] = []
    fake.otherwise = generating(" See", " Arrival", ". ")
    service = LLMService(base_url=fake.url, model="toy")
    assert asyncio.run(service.generate("What?", later)) == "See Arrival."
    assert asyncio.run(service._call_ollama_chat("What?", streaming_callback=heard.append))
    assert asyncio.run(service.generate("What?")) == "See Arrival."
    assert heard == [" See", " Arrival", ". "] * 2
    assert {k: fake.asked[0][k] for k in ("path", "model", "prompt", "stream", "options")} == {
        "path": "/api/generate",
        "model": "toy",
        "prompt": "What?",
        "stream": True,
        "options": {"temperature": 0.7, "top_p": 0.9, "num_predict": 800},
    }


def test_the_service_has_the_documented_defaults() -> None:
    service = LLMService()
    assert (service.base_url, service.model) == ("http://127.0.0.1:11434", "llama3.1:8b")


def test_a_callback_that_fails_ends_the_generation(fake: ModelFake) -> None:
    def full(_: str) -> None:
        raise BackendError("the disk is full")

    fake.otherwise = endless
    with pytest.raises(BackendError, match="the disk is full"):
        asyncio.run(LLMService(fake.url, "toy").generate("What?", full))
    assert fake.left.get(timeout=WAIT_S)


def test_the_service_leaves_a_server_that_hangs(fake: ModelFake) -> None:
    fake.otherwise = silent_after()
    service = LLMService(fake.url, "toy", timeouts=Timeouts(read_s=0.1))
    with pytest.raises(BackendError, match="LLM_READ_TIMEOUT_S"):
        asyncio.run(service.generate("What?"))


def test_the_service_names_the_models_that_are_there(fake: ModelFake) -> None:
    fake.otherwise = refusing(404, "model 'x' not found")
    with pytest.raises(ConfigurationError, match="no model 'x'; the server has: phi3:mini, toy"):
        asyncio.run(LLMService(fake.url, "x").generate("What?"))


def test_an_answer_may_take_longer_than_its_pieces(fake: ModelFake) -> None:
    fake.otherwise = answering(*["word "] * 2000)
    llm = OllamaChat("toy", fake.url, timeouts=Timeouts(idle_s=5))
    assert answer(llm) == "word " * 2000
