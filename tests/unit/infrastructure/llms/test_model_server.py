import inspect
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError, RagSystemError
from rag_llm_system.infrastructure.llms.addresses import is_near
from rag_llm_system.infrastructure.llms.ollama import OllamaChat
from rag_llm_system.infrastructure.llms.openai import OpenAIChat
from rag_llm_system.infrastructure.llms.refusals import reason_of, retry_after_s

URL = "http://127.0.0.1:11434"
QUESTION = [Message(role="user", content="Where?")]
LINES = b'{"message": {"content": "Here."}, "done": false}\n{"done": true}\n'
Answer = Callable[[httpx.Request], httpx.Response]
HTTPX_ERRORS = sorted(
    (
        kind
        for kind in vars(httpx).values()
        if inspect.isclass(kind)
        and issubclass(kind, (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL))
    ),
    key=lambda kind: kind.__name__,
)


def ask(answer: Answer, **options: Any) -> str:
    llm = OllamaChat("toy", URL, transport=httpx.MockTransport(answer), **options)
    return "".join(llm.stream(QUESTION, max_tokens=9, temperature=0))


def made(kind: type[Exception]) -> Exception:
    """An error of ``kind``, whose constructors differ."""
    match kind:
        case httpx.HTTPStatusError:
            request = httpx.Request("POST", URL)
            return kind("text", request=request, response=httpx.Response(500))
        case (
            httpx.StreamConsumed | httpx.ResponseNotRead | httpx.RequestNotRead | httpx.StreamClosed
        ):
            return kind()
        case _:
            return kind("text")


@pytest.mark.parametrize("kind", HTTPX_ERRORS)
def test_every_error_of_httpx_is_translated(kind: type[Exception]) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise made(kind)

    with pytest.raises(RagSystemError):
        ask(answer)


def test_a_question_that_did_not_get_out_is_asked_again() -> None:
    errors = [httpx.ConnectError("refused"), httpx.ConnectError("reset")]

    def answer(_: httpx.Request) -> httpx.Response:
        if errors:
            raise errors.pop()
        return httpx.Response(200, content=LINES)

    assert ask(answer) == "Here."


@pytest.mark.parametrize(
    "error",
    [httpx.ReadError("reset"), httpx.RemoteProtocolError("gone"), httpx.ConnectTimeout("slow")],
)
def test_a_question_that_may_have_got_out_is_asked_once(error: Exception) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise error

    with pytest.raises(BackendError):
        ask(answer)
    assert len(asked) == 1


@pytest.mark.parametrize("url", ["127.0.0.1:11434", "ftp://x", "http://", "http://x:y"])
def test_what_is_no_url_is_a_setting_to_change(url: str) -> None:
    with pytest.raises(ConfigurationError, match="OLLAMA_BASE_URL is no URL"):
        OllamaChat("toy", url)


def test_a_password_in_a_url_stays_out_of_messages() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(500)

    llm = OllamaChat("toy", "http://me:hunter2@127.0.0.1:1", transport=httpx.MockTransport(answer))
    with pytest.raises(BackendError, match=r"http://\*\*\*@127\.0\.0\.1:1 answered 500"):
        list(llm.stream(QUESTION, max_tokens=9, temperature=0))


@pytest.mark.parametrize("key", ["ключ", "sk-1\n", "“quoted”"])
def test_a_key_that_no_header_takes_is_a_setting_to_change(key: str) -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY holds a character") as caught:
        OpenAIChat("toy", f"{URL}/v1", SecretStr(key))
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "near"),
    [
        (URL, True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://192.168.1.7:8000", True),
        ("http://inference:8000/infer", True),
        ("https://api.openai.com/v1", False),
        ("http://93.184.215.14", False),
    ],
)
def test_no_proxy_is_asked_for_what_is_near(url: str, near: bool) -> None:
    assert is_near(url) is near


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), (" 0 ", 0), ("", None), ("soon", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_a_server_says_when_to_come_back_as_a_number_or_a_date(
    value: str, seconds: float | None
) -> None:
    assert retry_after_s({"retry-after": value}) == seconds


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b'{"error": {"message": "too\\nlong", "code": 1}}', "too long"),
        (b'{"detail": [{"msg": "x"}]}', "[{'msg': 'x'}]"),
        (b'{"error": ""}', "no reason given"),
        (b"", "no reason given"),
        (b"<h1>Bad\xff Gateway</h1>", "<h1>Bad\ufffd Gateway</h1>"),
        (b'{"error": "key=hidden-one refused"}', "key=*** refused"),
    ],
)
def test_a_reason_is_one_line_without_secrets(said: bytes, reason: str) -> None:
    assert reason_of(said, "hidden-one") == reason
