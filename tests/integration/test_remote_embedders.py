"""Encoders on servers: what is asked, what is tried again, and what each refusal tells the user."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError
from rag_llm_system.infrastructure.embedders.http_embedder import HttpEmbedder
from rag_llm_system.infrastructure.embedders.ollama import OllamaEmbedder
from rag_llm_system.infrastructure.embedders.openai import OpenAIEmbedder
from tests.embedding_server import ENCODER, Embeddings, embedding_server
from tests.web_server import serve_raw

KEY = "sk-canary-0123456789abcdef"
BUSY: tuple[int, dict[str, str], bytes] = (429, {}, b"")


Connect = Callable[..., HttpEmbedder]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """An encoder at OpenAI's path of a URL, or ``ollama``; closed in the end."""
    opened: list[HttpEmbedder] = []

    def build(url: str, kind: str = "openai", **options: Any) -> HttpEmbedder:
        made = OllamaEmbedder if kind == "ollama" else OpenAIEmbedder
        path = "" if kind == "ollama" else "/v1"
        opened.append(made("toy", base_url=url + path, **options))
        return opened[-1]

    yield build
    for embedder in opened:
        embedder.close()


@pytest.fixture
def server() -> Iterator[tuple[str, type[Embeddings]]]:
    with embedding_server() as running:
        yield running


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without the waiting."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def says(status: int, said: Any, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return status, headers, json.dumps(said).encode()


def gives(*rows: list[Any]) -> tuple[int, dict[str, str], bytes]:
    return says(200, {"data": [{"index": i, "embedding": row} for i, row in enumerate(rows)]})


def test_openai_is_asked_with_key_and_model_and_its_vectors_are_normalised(
    server: tuple[str, type[Embeddings]], connect: Connect
) -> None:
    url, handler = server
    vectors = connect(url, api_key=SecretStr(KEY)).embed(["flour", "bread"])
    assert np.allclose(vectors, ENCODER.embed(["flour", "bread"]))
    assert handler.asked == [
        {
            "path": "/v1/embeddings",
            "authorization": f"Bearer {KEY}",
            "model": "toy",
            "input": ["flour", "bread"],
            "encoding_format": "float",
        }
    ]


def test_ollama_is_told_to_cut_nothing(
    server: tuple[str, type[Embeddings]], connect: Connect
) -> None:
    url, handler = server
    connect(url, "ollama").embed(["flour"])
    assert handler.asked == [
        {
            "path": "/api/embed",
            "authorization": None,
            "model": "toy",
            "input": ["flour"],
            "truncate": False,
        }
    ]


def test_prefixes_are_put_before_texts_and_make_another_revision(
    server: tuple[str, type[Embeddings]], connect: Connect
) -> None:
    url, handler = server
    plain = connect(url)
    e5 = connect(url, query_prefix="query: ", document_prefix="passage: ", max_tokens=100)
    e5.embed(["a"], role="query")
    e5.embed(["a"])
    assert [asked["input"] for asked in handler.asked] == [["query: a"], ["passage: a"]]
    assert e5.max_tokens == 100 - 4 - 2
    assert plain.revision == ""
    assert e5.revision == connect(url, query_prefix="query: ", document_prefix="passage: ").revision
    assert e5.revision != connect(url, query_prefix="passage: ", document_prefix="query: ").revision


def test_requests_are_portioned_by_number_and_by_characters(
    server: tuple[str, type[Embeddings]], connect: Connect
) -> None:
    url, handler = server
    embedder = connect(url, max_tokens=100_000)
    texts = [f"text {i}" for i in range(70)] + ["long " * 12_000, "also " * 12_000]
    assert np.allclose(embedder.embed(texts), ENCODER.embed(texts), atol=1e-6)
    assert [len(asked["input"]) for asked in handler.asked] == [32, 32, 7, 1]


def test_the_dimension_is_asked_for_once(
    server: tuple[str, type[Embeddings]], connect: Connect
) -> None:
    url, handler = server
    embedder = connect(url)
    assert (embedder.dimension, embedder.dimension, embedder.embed([]).shape) == (64, 64, (0, 64))
    assert len(handler.asked) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again_ever_later(
    server: tuple[str, type[Embeddings]], waits: list[float], status: int, connect: Connect
) -> None:
    url, handler = server
    handler.answers = [(status, {}, b"")] * 3
    assert connect(url).embed(["a"]).shape == (1, 64)
    assert waits == [0.5, 1, 2]


def test_retry_after_is_honoured_within_bounds(
    server: tuple[str, type[Embeddings]], waits: list[float], connect: Connect
) -> None:
    url, handler = server
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    said = ("7", "86400", soon, "soon")
    handler.answers = [(429, {"Retry-After": value}, b"") for value in said]
    connect(url).embed(["a"])
    assert waits == [7, 60, pytest.approx(29.5, abs=1), 4]


def test_a_server_that_stays_busy_is_an_error_in_the_end(
    server: tuple[str, type[Embeddings]], waits: list[float], connect: Connect
) -> None:
    url, handler = server
    handler.answers = [says(503, {"error": {"message": "model is loading"}})] * 5
    with pytest.raises(BackendError, match=r"'toy' at http://127.* answered 503: model is loading"):
        connect(url).embed(["a"])
    assert (len(handler.asked), len(waits)) == (5, 4)


def test_a_server_that_is_not_there_is_named_without_its_password(
    waits: list[float], connect: Connect
) -> None:
    with serve_raw(lambda _: None) as port:
        pass
    embedder = connect(f"http://user:hunter2@127.0.0.1:{port}", "ollama")
    with pytest.raises(BackendError, match="EMBEDDING_BASE_URL") as raised:
        embedder.embed(["a"])
    assert f"'toy' at http://127.0.0.1:{port}" in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert len(waits) == 4


def test_a_server_that_hangs_up_is_tried_again(waits: list[float], connect: Connect) -> None:
    with serve_raw(lambda connection: connection.recv(10)) as port, pytest.raises(BackendError):
        connect(f"http://127.0.0.1:{port}").embed(["a"])
    assert len(waits) == 4


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, {"error": {"message": "This model's maximum context length is 512 tokens."}}),
        (400, {"error": "the input length exceeds the context length"}),
        (413, {"error": "Input validation error: `inputs` must have less than 512 tokens.", "type": "x"}),
        (500, {"error": {"message": "input is too large to process. increase the batch size"}}),
    ],
)  # fmt: skip
def test_a_text_that_the_server_finds_too_long_is_a_data_error_at_once(
    server: tuple[str, type[Embeddings]],
    waits: list[float],
    status: int,
    said: Any,
    connect: Connect,
) -> None:
    url, handler = server
    handler.answers = [says(status, said)]
    with pytest.raises(DataError, match=r"lower EMBEDDING_MAX_TOKENS \(now 512\)"):
        connect(url).embed(["a"])
    assert waits == []


@pytest.mark.parametrize(
    ("status", "setting"),
    [(401, "EMBEDDING_API_KEY"), (403, "EMBEDDING_API_KEY"), (404, "TEXT_EMBEDDING_MODEL_ID")],
)
def test_a_refusal_names_the_setting_and_never_the_key(
    server: tuple[str, type[Embeddings]],
    waits: list[float],
    status: int,
    setting: str,
    connect: Connect,
) -> None:
    url, handler = server
    handler.answers = [says(status, {"error": {"message": f"no such thing for\n{KEY}"}})]
    with pytest.raises(ConfigurationError, match=setting) as raised:
        connect(url, api_key=SecretStr(KEY)).embed(["a"])
    assert KEY not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert waits == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((200, {}, b"<html>"), "something else than vectors"),
        (says(200, {"embeddings": [[1.0]]}), "something else than vectors"),
        (says(200, {"data": [{"index": 1, "embedding": [1.0]}]}), "something else than vectors"),
        (gives([1.0], [1.0, 2.0]), "something else than vectors"),
        (gives(["x"]), "something else than vectors"),
        (gives([1.0, 2.0], [1.0, 2.0]), r"shape \(2, 2\), not \(1, 2\)"),
        (gives([0.0, 0.0]), "a vector of zeros"),
        (gives([1.0, float("nan")]), "without numbers"),
        (says(302, {}, Location="http://127.0.0.2/"), "answered 302"),
    ],
)
def test_an_answer_that_is_no_vector_is_refused(
    server: tuple[str, type[Embeddings]], answer: Any, message: str, connect: Connect
) -> None:
    url, handler = server
    handler.answers = [answer]
    with pytest.raises(BackendError, match=message):
        connect(url).embed(["a"])


def test_a_model_that_changes_its_dimension_is_refused(
    server: tuple[str, type[Embeddings]], connect: Connect
) -> None:
    url, handler = server
    embedder = connect(url)
    embedder.embed(["a"])
    handler.answers = [gives([1.0, 2.0])]
    with pytest.raises(BackendError, match=r"shape \(1, 2\), not \(1, 64\)"):
        embedder.embed(["a"])


@pytest.mark.parametrize("url", ["http://models.example.org/v1", "http://10.0.0.7:8000/v1"])
def test_a_key_does_not_travel_in_clear_text(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"EMBEDDING_API_KEY .* https"):
        OpenAIEmbedder("toy", base_url=url, api_key=SecretStr(KEY))
    OpenAIEmbedder("toy", base_url=url).close()


@pytest.mark.parametrize(
    "url", ["", "models.example.org", "ftp://models.example.org", "http://[::"]
)
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="EMBEDDING_BASE_URL"):
        OpenAIEmbedder("toy", base_url=url)
