import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError, RagSystemError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.llms.timeouts import Timeouts
from rag_llm_system.model.inference.local import LocalInferenceLLM

URL = "http://127.0.0.1:8000/infer"
MESSAGES = [
    Message(role="system", content="Be brief."),
    Message(role="user", content="Où ?"),
]
COMPLIANT = {"generated_text": "", "compliance_status": "compliant"}


def event(name: str, value: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n".encode()


ANSWER = [event("token", {"text": "Ici"}), event("token", {"text": " !"}), event("done", COMPLIANT)]


class Stream(httpx.AsyncByteStream):
    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part

    async def aclose(self) -> None:
        self.closed = True


def llm_at(answer: Callable[[httpx.Request], httpx.Response]) -> LocalInferenceLLM:
    return LocalInferenceLLM(
        URL,
        top_p=0.5,
        stop=["END"],
        timeouts=Timeouts(connect_s=7),
        transport=httpx.MockTransport(answer),
    )


def text_of(llm: LocalInferenceLLM) -> str:
    return "".join(llm.stream(MESSAGES, max_tokens=9, temperature=0.25))


def sending(*parts: bytes) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(200, stream=Stream(list(parts)))


def raising(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


def test_every_parameter_is_passed_on_and_pieces_come_back():
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, stream=Stream(ANSWER))

    assert text_of(llm_at(answer)) == "Ici !"
    assert str(asked[0].url) == URL
    assert json.loads(asked[0].content) == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Où ?"},
        ],
        "max_new_tokens": 9,
        "temperature": 0.25,
        "top_p": 0.5,
        "stop": ["END"],
        "stream": True,
    }
    assert asked[0].extensions["timeout"] == {
        "connect": 7,
        "read": None,  # counted by the reader, apart for the first piece and for the next ones
        "write": None,
        "pool": None,
    }


def test_fields_from_the_context_are_passed_on():
    asked: list[dict[str, object]] = []
    field = FromContext(
        name="title", open="**", close="**", values=["Alien"], suffixes={"Alien": [" (1979)"]}
    )

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(200, stream=Stream(ANSWER))

    pieces = llm_at(answer).stream_from_context(
        MESSAGES, max_tokens=9, temperature=0.25, from_context=[field]
    )

    assert "".join(pieces) == "Ici !"
    assert asked[0]["max_new_tokens"] == 9
    assert asked[0]["from_context"] == [
        {
            "name": "title",
            "open": "**",
            "close": "**",
            "values": ["Alien"],
            "suffixes": {"Alien": [" (1979)"]},
        }
    ]


def test_closing_the_iterator_closes_the_connection():
    stream = Stream(ANSWER)
    pieces = llm_at(lambda _: httpx.Response(200, stream=stream)).stream(
        MESSAGES, max_tokens=9, temperature=0
    )

    assert next(iter(pieces)) == "Ici"
    pieces.close()  # type: ignore[attr-defined]

    assert stream.closed


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (raising(httpx.ConnectError("refused")), BackendError, "poe deploy-inference-local"),
        (raising(httpx.ConnectTimeout("slow")), BackendError, "LOCAL_INFERENCE_ENDPOINT_URL"),
        (raising(httpx.RemoteProtocolError("gone")), BackendError, "broke off"),
        (raising(httpx.UnsupportedProtocol("ftp")), ConfigurationError, "is no URL"),
        (sending(event("token", {"text": "a"})), BackendError, "ended the answer early"),
        (sending(event("error", {"error": "no memory"})), BackendError, "failed: no memory"),
        (
            sending(b": waiting\n\n", event("error", {"error": "too long", "status": 422})),
            DataError,
            "refused the question: too long",
        ),
        (sending(b"data: oops\n\n"), BackendError, "sent what is no answer"),
        (sending(b"data: []\n\n"), BackendError, "sent what is no answer"),
        (
            sending(event("done", {"compliance_status": "non_compliant: password"})),
            DataError,
            "withheld the answer .non_compliant: password",
        ),
        (lambda _: httpx.Response(503, json={"error": "loading"}), BackendError, "503: loading"),
        (lambda _: httpx.Response(422, json={"error": "too long"}), DataError, "too long"),
        (lambda _: httpx.Response(404, text="nothing"), BackendError, "no POST /infer: the"),
        (lambda _: httpx.Response(502, text="<html>"), BackendError, "502: <html>"),
        (lambda _: httpx.Response(403), ConfigurationError, "set LOCAL_INFERENCE_API_KEY"),
    ],
)
def test_a_failure_is_one_of_ours_and_says_what_to_do(
    answer: Callable[[httpx.Request], httpx.Response],
    kind: type[RagSystemError],
    message: str,
):
    with pytest.raises(kind, match=message):
        text_of(llm_at(answer))


def test_what_is_no_url_is_a_setting_to_change():
    with pytest.raises(ConfigurationError, match="LOCAL_INFERENCE_ENDPOINT_URL is no URL"):
        text_of(LocalInferenceLLM("127.0.0.1:8000/infer"))


def test_the_client_imports_no_torch():
    code = "import sys, rag_llm_system.model.inference.local; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
