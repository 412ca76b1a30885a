"""The inference server without a network: requests in, answers out, and what the engine was asked."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError, Overloaded
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.local.governance import GovernanceRecord
from rag_llm_system.infrastructure.serving.metrics import ServerMetrics
from rag_llm_system.infrastructure.tracing.off import OffTracer
from tests.inference_apps import ScriptedEngine, app_with, events_of

WAIT_S = 10
Talk = Callable[[httpx.AsyncClient], Awaitable[Any]]


class RecordingTracer(OffTracer):
    """Remembers the spans it was asked for and what they recorded."""

    trace_id = "trace-1"

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []

    def span(self, name: str, **described: Any) -> Any:
        self.spans.append({"name": name, **described})
        return self

    def record(self, **outputs: Any) -> None:
        self.spans[-1]["outputs"] = outputs

    def __enter__(self) -> "RecordingTracer":
        return self

    def __exit__(self, *_: object) -> None: ...


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


def served(engine: ScriptedEngine, talk: Talk, **parts: Any) -> Any:
    async def main() -> Any:
        async with running(app_with(lambda: engine, **parts)) as client:
            await ready(client)
            return await talk(client)

    return asyncio.run(main())


def posted(
    engine: ScriptedEngine,
    body: Any,
    *,
    headers: Mapping[str, str] | None = None,
    **parts: Any,
) -> httpx.Response:
    async def talk(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/infer", json=body, headers=headers)

    return served(engine, talk, **parts)


def test_an_answer_has_text_status_and_usage_and_no_prompt():
    response = posted(ScriptedEngine("In the ", "store."), {"prompt": "Where?"})

    assert response.status_code == 200
    assert response.json() == {
        "generated_text": "In the store.",
        "compliance_status": "compliant",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
        "model": "scripted",
        "trace_id": "",
    }


def test_fields_from_the_context_reach_the_engine():
    engine = ScriptedEngine("Hi")
    field = {"open": "**", "close": "**", "values": ["Alien"], "suffixes": {"Alien": [" (1979)"]}}

    posted(engine, {"prompt": "Where?", "from_context": [field]})

    assert engine.asked[0][1]["from_context"] == (FromContext.model_validate(field),)


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
            [Message.model_validate(m) for m in conversation],
            {
                "max_new_tokens": 7,
                "temperature": 1.0,
                "top_p": 0.5,
                "stop": ("E",),
                "from_context": (),
            },
        )
    ]


def test_streamed_tokens_join_to_the_answer():
    engine = ScriptedEngine("In ", "the ", "störe.")

    response = posted(engine, {"prompt": "?", "stream": True})

    events = events_of(response.text)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "".join(v["text"] for name, v in events if name == "token") == "In the störe."
    assert events[-1][0] == "done"
    assert events[-1][1]["generated_text"] == "In the störe."
    assert events[-1][1]["compliance_status"] == "compliant"


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_request_is_not_generated(stream: bool):
    engine = ScriptedEngine("never")

    response = posted(engine, {"prompt": "What is the Password?", "stream": stream})

    value = events_of(response.text)[0][1] if stream else response.json()
    assert value["compliance_status"] == "non_compliant: password"
    assert (value["generated_text"], value["finish_reason"]) == ("", "withheld")
    assert engine.asked == []


@pytest.mark.parametrize("stream", [False, True])
def test_a_banned_answer_is_withheld_and_its_generation_cancelled(stream: bool):
    engine = ScriptedEngine("It is class", "ified, ", "but here it comes.", holding=True)

    response = posted(engine, {"prompt": "Tell me", "stream": stream})

    value = events_of(response.text)[-1][1] if stream else response.json()
    assert value["compliance_status"] == "non_compliant: classified"
    assert value["generated_text"] == ""
    assert "classified," not in response.text
    assert engine.cancelled.is_set()


def test_a_secret_in_a_prompt_is_not_shown_to_the_model():
    engine = ScriptedEngine("Rotate it.")

    response = posted(engine, {"prompt": "Is hf_abcdefghijklmnopqrst0 still good?"})

    assert response.json()["compliance_status"] == "compliant"
    [shown] = engine.asked[0][0]
    assert shown.content.startswith("Is ")
    assert shown.content.endswith(" still good?")
    assert "hf_" not in shown.content


def test_each_inference_is_on_record_with_its_trace():
    records: list[GovernanceRecord] = []
    for prompt in ("a question", "a password", "mail hf_abcdefghijklmnopqrst0"):
        posted(
            ScriptedEngine("fine"), {"prompt": prompt}, records=records, tracer=RecordingTracer()
        )

    compliant = "compliant"
    assert [r.status for r in records] == [compliant, "non_compliant: password", compliant]
    assert [r.output_chars for r in records] == [4, 0, 4]
    assert [f.rule for f in records[2].findings] == ["secrets"]
    assert {r.trace_id for r in records} == {"trace-1"}


def test_an_answer_continues_the_callers_trace():
    tracer = RecordingTracer()
    asked = {"prompt": "Where?", "max_new_tokens": 9}

    response = posted(
        ScriptedEngine("Here."), asked, headers={"X-Opik-Trace-Id": "t"}, tracer=tracer
    )

    [span] = tracer.spans
    assert (span["name"], span["kind"]) == ("generate", "llm")
    assert span["caller"]["x-opik-trace-id"] == "t"
    assert span["inputs"]["messages"] == [{"role": "user", "content": "Where?"}]
    assert (span["inputs"]["model"], span["inputs"]["max_new_tokens"]) == ("scripted", 9)
    assert (span["outputs"]["text"], span["outputs"]["reason"]) == ("Here.", "stop")
    assert response.json()["trace_id"] == "trace-1"


def test_a_trace_shows_nothing_of_a_blocked_prompt():
    tracer = RecordingTracer()

    posted(ScriptedEngine("x"), {"prompt": "the classified plan"}, tracer=tracer)

    assert "plan" not in str(tracer.spans)
    assert tracer.spans[0]["outputs"]["status"] == "non_compliant: classified"


def test_tokens_and_times_are_measured():
    async def talk(client: httpx.AsyncClient) -> str:
        for prompt in ("a", "a password"):
            await client.post("/infer", json={"prompt": prompt})
        return (await client.get("/metrics")).text

    lines = served(ScriptedEngine("a ", "b"), talk, metrics=ServerMetrics("inference")).splitlines()

    assert {
        'rag_events_total{event="prompt_tokens"} 5.0',
        'rag_events_total{event="completion_tokens"} 2.0',
        'rag_events_total{event="answer_withheld"} 1.0',
        'rag_stage_duration_seconds_count{stage="first_token"} 1.0',
        'rag_stage_duration_seconds_count{stage="generate"} 1.0',
        "rag_generations_running 1.0",
        "rag_generations_waiting 2.0",
        'rag_http_requests_total{method="POST",route="/infer",status="200"} 2.0',
    } <= set(lines)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "prompt or messages"),
        ({"prompt": "a", "messages": [{"role": "user", "content": "b"}]}, "one of the two"),
        ({"prompt": ""}, "prompt: "),
        ({"prompt": "a", "max_tokens": 5}, "max_tokens: Extra inputs are not permitted"),
        ({"prompt": "a", "max_new_tokens": 0}, "max_new_tokens: "),
        ({"prompt": "a", "temperature": -1}, "temperature: "),
        ({"prompt": "a", "top_p": 0}, "top_p: "),
        ({"prompt": "a", "stop": [""]}, "stop.0: "),
        ({"messages": [{"role": "assistant", "content": "b"}]}, "must be the user's"),
        ({"messages": [{"role": "tool", "content": "b"}]}, "messages.0.role: "),
        ({"messages": [{"role": "user", "content": "a" * 150_000}] * 2}, "over 200000 characters"),
        (["prompt"], "body: "),
        ({"prompt": "a", "from_context": [{"open": "*"}]}, "from_context.0.close: "),
        ({"prompt": "a", "from_context": [{"open": "", "close": "*"}]}, "from_context.0.open: "),
        (
            {"prompt": "a", "from_context": [{"open": "*", "close": "*", "values": ["a*"]}]},
            "value 'a*' would not end at its closing mark",
        ),
        ({"prompt": "a", "from_context": [{"open": "*", "close": "*"}] * 9}, "from_context: "),
    ],
)
def test_bad_input_is_answered_with_one_clear_line(body: Any, reason: str):
    response = posted(ScriptedEngine("never"), body)

    assert response.status_code == 422
    assert reason in response.json()["error"]
    assert "\n" not in response.json()["error"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("refusal", "status", "retry"),
    [
        (DataError("the prompt has 900 tokens"), 422, None),
        (queue.Full("8 requests are waiting"), 429, "2"),
        (Overloaded("8 requests are waiting", retry_after_s=7), 429, "7"),
        (BackendError("the engine has stopped"), 503, None),
    ],
)
def test_what_the_engine_refuses_has_its_own_status(
    refusal: Exception, status: int, retry: str | None, stream: bool
):
    engine = ScriptedEngine(refuse=refusal)

    response = posted(engine, {"prompt": "a", "stream": stream})

    assert response.status_code == status
    assert response.json() == {"error": str(refusal)}
    assert response.headers.get("retry-after") == retry


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda listener: listener.failed(BackendError("out of memory")), "out of memory"),
        (lambda listener: listener.done("cancelled", 5, 1), "the engine was stopped before"),
    ],
)
def test_a_generation_that_fails_is_an_error(end: Callable[[Any], None], said: str, stream: bool):
    async def talk(client: httpx.AsyncClient) -> httpx.Response:
        asking = asyncio.create_task(client.post("/infer", json={"prompt": "a", "stream": stream}))
        assert await asyncio.to_thread(engine.started.wait, WAIT_S)
        end(engine.listeners[0])
        return await asking

    engine = ScriptedEngine("It is long enough to be sent before the end. " * 3, holding=True)
    records: list[GovernanceRecord] = []
    response = served(engine, talk, records=records, tracer=RecordingTracer())

    if stream:
        *_, (name, value) = events_of(response.text)
        assert (name, value["status"], value["trace_id"]) == ("error", 503, "trace-1")
        assert value["error"].startswith(said)
    else:
        assert response.status_code == 503
        assert response.json()["error"].startswith(said)
    assert [record.status for record in records] == ["failed"]


def test_health_answers_while_an_answer_is_generated():
    async def talk(client: httpx.AsyncClient) -> Any:
        asking = asyncio.create_task(client.post("/infer", json={"prompt": "a"}))
        assert await asyncio.to_thread(engine.started.wait, WAIT_S)
        health, ready = await client.get("/health"), await client.get("/ready")
        engine.listeners[0].done("stop", 1, 0)
        await asking
        return health.json(), ready.json()

    engine = ScriptedEngine("x", holding=True)

    assert served(engine, talk) == (
        {
            "status": "ready",
            "device": "cpu",
            "model": "scripted",
            "queue": {"running": 1, "waiting": 2, "max_waiting": 3},
        },
        {"status": "ready"},
    )
    assert engine.closed


def test_while_the_model_loads_health_answers_and_requests_are_asked_to_come_back():
    loaded = threading.Event()
    engine = ScriptedEngine("x")

    def load() -> ScriptedEngine:
        assert loaded.wait(WAIT_S)
        return engine

    async def main() -> None:
        async with running(app_with(load)) as client:
            health = await client.get("/health")
            refused = [
                await client.get("/ready"),
                await client.post("/infer", json={"prompt": "a"}),
                await client.get("/v1/models"),
            ]
            loaded.set()
            await ready(client)
            answered = await client.post("/infer", json={"prompt": "a"})
        assert (health.status_code, health.json()) == (200, {"status": "loading"})
        assert [r.status_code for r in refused] == [503, 503, 503]
        assert [r.headers["retry-after"] for r in refused] == ["5", "5", "5"]
        assert all("the model is loading" in r.text for r in refused)
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
        async with running(app_with(load)) as client:
            await ready(client)
            health = (await client.get("/health")).json()
            refused = await client.post("/infer", json={"prompt": "a"})
            unready = await client.get("/ready")
        assert health["status"] == "failed"
        assert health["error"].startswith(shown)
        assert "pw@" not in health["error"]
        assert (refused.status_code, unready.status_code) == (503, 503)
        assert refused.json()["error"] == unready.json()["error"] == health["error"]
        assert "retry-after" not in refused.headers

    asyncio.run(main())


def test_the_api_says_what_goes_in_and_out():
    described = app_with(ScriptedEngine).openapi()

    for path in ("/infer", "/v1/chat/completions"):
        post = described["paths"][path]["post"]
        [content] = post["requestBody"]["content"].values()
        assert len(content["examples"]) == 2
        assert {"application/json", "text/event-stream"} <= set(post["responses"]["200"]["content"])
        assert {"422", "429", "503"} <= set(post["responses"])
    assert "HTTPValidationError" not in described["components"]["schemas"]
