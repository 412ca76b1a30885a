"""What a client reads of an error, and what only the log has."""

import json
import logging
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, Field

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import (
    BackendError,
    ConfigurationError,
    CrawlError,
    DataError,
    DeadlineExceeded,
    Overloaded,
    StoreUnavailable,
    UnknownName,
)
from rag_llm_system.infrastructure.serving.errors import (
    error_responses,
    install_error_handlers,
    one_line,
    openai_error_responses,
    said,
    status_of,
)

SECRET = "sk-abcdef0123456789abcdef"


def no_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("say something")
    return text


class Question(Value):
    query: Annotated[str, AfterValidator(no_blank)]
    k: int = Field(1, ge=1, le=9)
    many: dict[str, int] = Field(default_factory=dict)


def client(raised: Exception | None = None) -> TestClient:
    app = FastAPI(responses=error_responses)
    install_error_handlers(app)

    async def ask(question: Question) -> Question:
        if raised:
            raise raised
        return question

    app.post("/ask")(ask)
    app.post("/v1/ask", responses=openai_error_responses)(ask)
    return TestClient(app, raise_server_exceptions=True)


def asked(raised: Exception | None = None, path: str = "/ask", **body: Any) -> tuple[int, Any]:
    answer = client(raised).post(path, json={"query": "a", **body})
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigurationError("a"), 400),
        (UnknownName("author", "a", []), 400),
        (DataError("a"), 422),
        (Overloaded("a"), 429),
        (BackendError("a"), 503),
        (StoreUnavailable("a"), 503),
        (CrawlError("a", "b"), 503),
        (DeadlineExceeded("a"), 504),
        (HTTPException(418, "a"), 418),
        (ValueError("a"), 500),
        (TimeoutError("a"), 500),
    ],
)
def test_each_kind_of_error_has_its_status(error: Exception, status: int) -> None:
    assert status_of(error) == status
    assert asked(error)[0] == status


def test_our_errors_are_said_in_one_line_without_secrets() -> None:
    error = BackendError(f"http://ada:pw@a.example answered\n 401 to api_key={SECRET}")
    assert asked(error) == (
        503,
        {"error": "[address] answered 401 to api_key=***"},
    )


def test_who_is_sent_away_hears_when_to_come_back() -> None:
    answer = client(Overloaded("full", retry_after_s=2.1)).post("/ask", json={"query": "a"})
    assert (answer.headers["retry-after"], answer.json()) == ("3", {"error": "full"})


def test_of_what_nobody_foresaw_the_client_reads_where_the_log_has_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        status, body = asked(ValueError(f"rows of /home/ada, {SECRET}"))
    assert status == 500
    number = body["error"].removeprefix("internal error; the server's log has it under ")
    (record,) = caplog.records
    assert f"error {number} in POST /ask" in record.getMessage()
    assert "Traceback" in record.getMessage()
    assert "ValueError: rows of /home/ada, ***" in record.getMessage()


def test_wrong_fields_are_named_with_what_is_wrong() -> None:
    assert asked(k=10, query=" ") == (
        422,
        {"error": "query: say something; k: Input should be less than or equal to 9"},
    )


def test_of_many_wrong_fields_the_first_are_named() -> None:
    _, body = asked(many={str(n): "a" for n in range(20)})
    assert body["error"].startswith("many.0: Input should be a valid integer")
    assert body["error"].endswith("; and 15 more")


def test_below_v1_errors_have_the_form_of_openai() -> None:
    assert asked(Overloaded("full"), path="/v1/ask") == (
        429,
        {
            "error": {
                "message": "full",
                "type": "rate_limit_error",
                "param": None,
                "code": "rate_limit_exceeded",
            }
        },
    )
    assert asked(ValueError("a"), path="/v1/ask")[1]["error"]["type"] == "server_error"
    assert asked(path="/v1/ask", k="a")[1]["error"]["type"] == "invalid_request_error"


def test_unknown_paths_and_methods_are_named() -> None:
    assert client().get("/nothing").json() == {"error": "no such path: /nothing"}
    wrong = client().put("/ask")
    assert wrong.json() == {"error": "PUT is not allowed on /ask; allowed: POST"}
    assert wrong.headers["allow"] == "POST"


def test_the_schema_says_what_errors_look_like() -> None:
    schema = client().get("/openapi.json").text
    assert "HTTPValidationError" not in schema
    paths = json.loads(schema)["paths"]
    refused = {path: routes["post"]["responses"]["422"] for path, routes in paths.items()}
    assert "ErrorBody" in str(refused["/ask"])
    assert "OpenAIErrorBody" in str(refused["/v1/ask"])


def test_an_unforeseen_error_says_nothing_of_itself() -> None:
    assert said(ValueError("rows of /home/ada")) == "internal error; the server's log has it"


@given(st.text(st.characters(), max_size=2000))
def test_a_line_is_one_line_that_can_be_sent(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert len(line) <= 500
    assert line.encode().decode() == line
    assert one_line(line) == line
