import asyncio
import json
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.local.governance import GovernanceMonitor, GovernanceRecord
from rag_llm_system.infrastructure.local.local_deploy import create_app
from rag_llm_system.infrastructure.local.pending import PendingAnswer

WAIT_S = 10


class ScriptedEngine:
    """Says its words at once, or holds the answer back when ``holding``; remembers what it was asked."""

    model_id = "scripted"
    device = "cpu"

    def __init__(self, *words: str, refuse: Exception | None = None, holding: bool = False) -> None:
        self._words = words
        self._refuse = refuse
        self._holding = holding
        self.asked: list[tuple[list[Message], dict[str, Any]]] = []
        self.listeners: list[PendingAnswer] = []
        self.cancelled = threading.Event()
        self.closed = False

    def start(
        self, messages: Sequence[Message], listener: PendingAnswer, **options: Any
    ) -> "ScriptedEngine":
        if self._refuse:
            raise self._refuse
        self.asked.append((list(messages), options))
        self.listeners.append(listener)
        for word in self._words:
            listener.text(word)
        if not self._holding:
            listener.done("stop", 5, len(self._words))
        return self

    def cancel(self) -> None:
        self.cancelled.set()

    def close(self) -> None:
        self.closed = True


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,
    ):
        yield client


async def ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(WAIT_S):
        while (await client.get("/health")).json()["status"] == "loading":
            await asyncio.sleep(0)


Talk = Callable[[httpx.AsyncClient], Awaitable[Any]]


def served(
    engine: ScriptedEngine, talk: Talk, *, governance: GovernanceMonitor | None = None
) -> Any:
    async def main() -> Any:
        async with running(create_app(lambda: engine, governance or GovernanceMonitor())) as client:
            await ready(client)
            return await talk(client)

    return asyncio.run(main())


def posted(engine: ScriptedEngine, body: Any, **more: Any) -> httpx.Response:
    async def talk(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/infer", json=body)

    return served(engine, talk, **more)


def events_of(response: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    blocks = [block.split("\n") for block in response.text.split("\n\n") if block]
    return [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, data in blocks
    ]


def test_an_answer_has_text_status_and_usage_and_no_prompt():
    response = posted(ScriptedEngine("In the ", "store."), {"prompt": "Where?"})

    assert response.status_code == 200
    assert response.json() == {
        "generated_text": "In the store.",
        "compliance_status": "compliant",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
    }


def test_fields_from_the_context_reach_the_engine():
    engine = ScriptedEngine("Hi")
    field = {"open": "**", "close": "**", "values": ["Alien"], "suffixes": {"Alien": [" (1979)"]}}

    posted(engine, {"prompt": "Where?", "from_context": [field]})

    assert engine.asked[0][1]["from_context"] == [FromContext.model_validate(field)]


def test_a_prompt_is_the_users_message_and_messages_pass_as_they_are():
    conversation = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where?"},
    ]
    by_prompt, by_messages = ScriptedEngine("x"), ScriptedEngine("x")

    posted(by_prompt, {"prompt": "Where?"})
    posted(
        by_messages,
        {"messages": conversation, "max_new_tokens": 7, "temperature": 1, "top_p": 0.5, "stop": ["E"]},
    )  # fmt: skip

    assert by_prompt.asked[0][0] == [Message(role="user", content="Where?")]
    assert by_prompt.asked[0][1]["max_new_tokens"] == 256
    assert by_messages.asked == [
        (
            [Message(**m) for m in conversation],
            {
                "max_new_tokens": 7,
                "temperature": 1.0,
                "top_p": 0.5,
                "stop": ["E"],
                "from_context": [],
            },
        )
    ]


def test_streamed_tokens_join_to_the_answer():
    response = posted(ScriptedEngine("In ", "the ", "störe."), {"prompt": "?", "stream": True})

    events = events_of(response)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "".join(v["text"] for name, v in events if name == "token") == "In the störe."
    assert events[-1][0] == "done"
    assert events[-1][1]["generated_text"] == "In the störe."
    assert events[-1][1]["compliance_status"] == "compliant"


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_request_is_not_generated(stream: bool):
    engine = ScriptedEngine("never")

    response = posted(engine, {"prompt": "What is the Password?", "stream": stream})

    value = events_of(response)[0][1] if stream else response.json()
    assert value["compliance_status"] == "non_compliant: password"
    assert value["generated_text"] == ""
    assert engine.asked == []


@pytest.mark.parametrize("stream", [False, True])
def test_a_banned_answer_is_withheld_and_its_generation_cancelled(stream: bool):
    engine = ScriptedEngine("It is class", "ified, ", "but here it comes.", holding=True)

    response = posted(engine, {"prompt": "Tell me", "stream": stream})

    value = events_of(response)[-1][1] if stream else response.json()
    assert value["compliance_status"] == "non_compliant: classified"
    assert value["generated_text"] == ""
    assert "classified," not in response.text
    assert engine.cancelled.is_set()


def test_each_inference_leaves_a_record_without_its_texts():
    kept: list[GovernanceRecord] = []
    governance = GovernanceMonitor(keep=kept.append)

    posted(ScriptedEngine("fine"), {"prompt": "a question"}, governance=governance)
    posted(ScriptedEngine("fine"), {"prompt": "a password"}, governance=governance)

    assert [r.status for r in kept] == ["compliant", "non_compliant: password"]
    assert [r.output_chars for r in kept] == [4, 0]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "prompt or messages"),
        ({"prompt": "a", "messages": [{"role": "user", "content": "b"}]}, "one of the two"),
        ({"prompt": ""}, "body.prompt: "),
        ({"prompt": "a", "max_tokens": 5}, "body.max_tokens: Extra inputs are not permitted"),
        ({"prompt": "a", "max_new_tokens": 0}, "body.max_new_tokens: "),
        ({"prompt": "a", "temperature": -1}, "body.temperature: "),
        ({"prompt": "a", "top_p": 0}, "body.top_p: "),
        ({"prompt": "a", "stop": [""]}, "body.stop.0: "),
        ({"messages": [{"role": "assistant", "content": "b"}]}, "must be the user's"),
        ({"messages": [{"role": "tool", "content": "b"}]}, "body.messages.0.role: "),
        ({"messages": [{"role": "user", "content": "a" * 150_000}] * 2}, "over 200000 characters"),
        (["prompt"], "body: "),
        ({"prompt": "a", "from_context": [{"open": "*"}]}, "body.from_context.0.close: "),
        ({"prompt": "a", "from_context": [{"open": "", "close": "*"}]}, "from_context.0.open: "),
        (
            {"prompt": "a", "from_context": [{"open": "*", "close": "*", "values": ["a*"]}]},
            "value 'a*' would not end at its closing mark",
        ),
        ({"prompt": "a", "from_context": [{"open": "*", "close": "*"}] * 9}, "body.from_context: "),
    ],
)
def test_bad_input_is_answered_with_one_clear_line(body: Any, reason: str):
    response = posted(ScriptedEngine("never"), body)

    assert response.status_code == 422
    assert reason in response.json()["error"]
    assert "\n" not in response.json()["error"]


@pytest.mark.parametrize(
    ("refusal", "status", "retry"),
    [
        (DataError("the prompt has 900 tokens"), 422, None),
        (queue.Full("8 requests are waiting"), 429, "2"),
        (BackendError("the engine has stopped"), 503, None),
    ],
)
def test_what_the_engine_refuses_has_its_own_status(
    refusal: Exception, status: int, retry: str | None
):
    response = posted(ScriptedEngine(refuse=refusal), {"prompt": "a", "stream": True})

    assert response.status_code == status
    assert response.json() == {"error": str(refusal)}
    assert response.headers.get("retry-after") == retry


@pytest.mark.parametrize("stream", [False, True])
def test_a_generation_that_fails_is_an_error(stream: bool):
    async def talk(client: httpx.AsyncClient) -> httpx.Response:
        asking = asyncio.create_task(client.post("/infer", json={"prompt": "a", "stream": stream}))
        while not engine.listeners:
            await asyncio.sleep(0)
        engine.listeners[0].failed(BackendError("out of memory"))
        return await asking

    engine = ScriptedEngine(holding=True)
    response = served(engine, talk)

    if stream:
        assert events_of(response) == [("error", {"error": "out of memory"})]
    else:
        assert (response.status_code, response.json()) == (500, {"error": "out of memory"})


def test_health_answers_while_an_answer_is_generated():
    async def talk(client: httpx.AsyncClient) -> Any:
        asking = asyncio.create_task(client.post("/infer", json={"prompt": "a"}))
        while not engine.listeners:
            await asyncio.sleep(0)
        health = await client.get("/health")
        engine.listeners[0].done("stop", 1, 0)
        await asking
        return health.json()

    engine = ScriptedEngine("x", holding=True)

    assert served(engine, talk) == {"status": "ready", "device": "cpu", "model": "scripted"}
    assert engine.closed


def test_while_the_model_loads_health_answers_and_infer_asks_to_come_back():
    loaded = threading.Event()
    engine = ScriptedEngine("x")

    def load() -> ScriptedEngine:
        assert loaded.wait(WAIT_S)
        return engine

    async def main() -> None:
        async with running(create_app(load, GovernanceMonitor())) as client:
            health = await client.get("/health")
            refused = await client.post("/infer", json={"prompt": "a"})
            loaded.set()
            await ready(client)
            answered = await client.post("/infer", json={"prompt": "a"})
        assert (health.status_code, health.json()) == (200, {"status": "loading"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert answered.status_code == 200

    asyncio.run(main())


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ConfigurationError("no model in mongodb://user:pw@host/"), "no model in mongodb://"),
        (ZeroDivisionError("inner detail"), "the model could not be loaded (ZeroDivisionError)"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_said_and_the_server_lives(error: Exception, shown: str):
    def load() -> ScriptedEngine:
        raise error

    async def main() -> None:
        async with running(create_app(load, GovernanceMonitor())) as client:
            await ready(client)
            health = (await client.get("/health")).json()
            refused = await client.post("/infer", json={"prompt": "a"})
        assert health["status"] == "failed"
        assert health["error"].startswith(shown)
        assert "pw@" not in health["error"]
        assert refused.status_code == 503
        assert refused.json()["error"] == health["error"]

    asyncio.run(main())
