"""The command that asks one question, on a store in a folder."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.bootstrap import build
from rag_llm_system.settings import load_settings
from tests.unit.application.builders import document
from tools.rag import main

STOPS = "The embedded server stops by itself when its last client is gone."
QUESTION = "How does the embedded server stop when its last client is gone?"


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one, and settings that need no model."""
    for name, value in {
        "DATA_DIR": str(tmp_path),
        "VECTOR_STORE": "faiss",
        "EMBEDDER": "hashing",
        "LLM_BACKEND": "extractive",
        "TRACING": "off",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def indexed(data_dir: Path) -> Path:
    cleaned = CleaningDispatcher().dispatch(document("http://a.example/server", STOPS))
    assert cleaned is not None
    with build(load_settings()) as system:
        indexer = system.indexer()
        indexer.load_chunks(indexer.embed_changed([cleaned]))
    return data_dir


def ask(*options: str) -> str:
    ran = CliRunner().invoke(main, [QUESTION, *options])
    assert ran.exit_code == 0, ran.output
    return ran.stdout


@pytest.mark.usefixtures("indexed")
def test_an_answer_is_printed_with_its_sources_and_how_sure_it_is() -> None:
    lines = ask().splitlines()
    assert f"- {STOPS} [1]" in lines
    assert any(line.startswith("Confidence: high") for line in lines)
    assert "         http://a.example/server" in lines


@pytest.mark.usefixtures("indexed")
def test_the_context_is_shown_before_the_answer_where_it_is_asked_for() -> None:
    shown = ask("--show-context", "--no-self-query")
    assert shown.index("[1]") < shown.index(STOPS) < shown.index(f"Q: {QUESTION}")
    assert f"Q: {QUESTION}" in ask().splitlines()[0]


@pytest.mark.usefixtures("indexed")
def test_as_json_nothing_but_the_answer_is_on_standard_output() -> None:
    answer = json.loads(ask("--json", "--show-context"))
    assert answer["sources"][0]["link"] == "http://a.example/server"
    assert answer["confidence"]["level"] == "high"


@pytest.mark.usefixtures("indexed")
def test_conditions_narrow_what_is_asked() -> None:
    assert "No sources were found" in ask("--where", "platform=medium")


@pytest.mark.usefixtures("data_dir")
def test_an_empty_store_is_said_in_one_line() -> None:
    ran = CliRunner().invoke(main, [QUESTION])
    assert ran.exit_code == 2
    assert ran.stderr.startswith("error: nothing is indexed yet;")


class Hanging:
    """A model that writes half an answer."""

    model_id = "hanging"

    def stream(self, *_: object, **_more: object) -> Iterator[str]:
        raise AssertionError("the command can cancel only its asynchronous form")

    async def astream(self, *_: object, **_more: object) -> AsyncGenerator[str]:
        yield "It stops [1] by "
        await asyncio.Event().wait()


@pytest.mark.usefixtures("indexed")
def test_what_was_written_is_shown_when_the_deadline_ends_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLM_BACKEND", f"{__name__}:Hanging")
    ran = CliRunner().invoke(main, [QUESTION, "--deadline", "0.5"])
    assert ran.exit_code == 1
    assert "It stops [1]" in ran.stdout
    assert ran.stderr.startswith("error: no answer within 0.5 s")
