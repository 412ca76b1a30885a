"""Coding tools search and ask through the protocol's own client, over standard input and output."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.types import TextContent

from rag_llm_system.bootstrap import System, build
from rag_llm_system.settings import PROJECT_ROOT, load_settings
from tests.unit.application.code.trees import tree
from tools.code.indexing import CodeFolder, index_folder
from tools.code_mcp.server import code_server

SESSION = 'def end_session(token):\n    """Forget the session of a token."""\n    del OPEN[token]\n'
QUESTION = "How is the session of a token ended?"
PATIENT_S = 60


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    given = {
        "DATA_DIR": str(tmp_path / "data"),
        "VECTOR_STORE": "faiss",
        "EMBEDDER": "hashing",
        "LLM_BACKEND": "extractive",
        "TRACING": "off",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


@pytest.fixture
def indexed(settings: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The settings of an index that has one code base."""
    root = tree(tmp_path / "site", {"session.py": SESSION, "mail.py": "def send(to):\n    pass\n"})
    with build(load_settings()) as system:
        index_folder(system.code_vectorizer(), CodeFolder(root))
    return settings


def text_of(result: Any) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def test_a_coding_tool_lists_searches_and_asks(indexed: dict[str, str], tmp_path: Path) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "tools.code_mcp"],
        cwd=PROJECT_ROOT,
        env={**os.environ, **indexed},
    )

    async def talk() -> None:
        async with Client(server, read_timeout_seconds=PATIENT_S) as client:
            tools = (await client.list_tools()).tools
            assert [tool.name for tool in tools] == ["search_code", "ask_code", "list_code_bases"]
            assert all(tool.description and tool.annotations for tool in tools)

            bases = await client.call_tool("list_code_bases", {})
            assert bases.structured_content == {
                "result": [{"name": "site", "folder": f"{tmp_path}/site", "files": 2, "chunks": 2}]
            }
            found = await client.call_tool("search_code", {"query": "end a session", "k": 1})
            assert found.structured_content is not None
            (hit,) = found.structured_content["result"]
            assert 0 < hit.pop("score") <= 1
            assert hit == {
                "repository": "site",
                "source_file": "session.py",
                "start_line": 1,
                "end_line": 3,
                "symbol": "end_session",
                "language": "python",
                "content": SESSION.rstrip("\n"),
            }
            answer = text_of(await client.call_tool("ask_code", {"question": QUESTION}))
            assert "[1]" in answer
            assert "\nSources:\n  1. session.py:1-3 (similarity 0." in answer
            wrong = {"question": QUESTION, "repository": "app"}
            refused = await client.call_tool("ask_code", wrong)
            assert refused.is_error
            assert text_of(refused).endswith("unknown code base 'app'; known: site")

    asyncio.run(talk())


STATE: dict[str, asyncio.Event] = {}


class Endless:
    """A model that writes until it is stopped, and tells when it began and when it ended."""

    model_id = "endless"

    def stream(self, *_: object, **_more: object) -> Iterator[str]:
        raise AssertionError("only its asynchronous form can be cancelled")

    async def astream(self, *_: object, **_more: object) -> AsyncGenerator[str]:
        try:
            yield "It is [1] "
            STATE["writing"].set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # as a client that closes its connection
            STATE["stopped"].set()


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.usefixtures("indexed")
def test_a_cancelled_question_stops_the_model_and_others_are_answered_meanwhile(
    monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("LLM_BACKEND", f"{__name__}:Endless")
    opened: list[System] = []

    def opening() -> System:
        opened.append(build(load_settings()))
        return opened[-1]

    async def talk() -> None:
        STATE.update(writing=asyncio.Event(), stopped=asyncio.Event())
        async with Client(code_server(opening), mode=mode) as client:
            assert opened == []
            question = client.call_tool("ask_code", {"question": QUESTION})
            asking = asyncio.create_task(question)
            async with asyncio.timeout(PATIENT_S):
                await STATE["writing"].wait()
                assert not (await client.call_tool("search_code", {"query": "mail"})).is_error
                assert not STATE["stopped"].is_set()
                asking.cancel()
                await STATE["stopped"].wait()
        assert len(opened) == 1

    asyncio.run(talk())


def test_nothing_indexed_is_an_error_of_the_tool(settings: dict[str, str]) -> None:
    async def talk() -> None:
        async with Client(code_server(lambda: build(load_settings()))) as client:
            found = await client.call_tool("search_code", {"query": "mail"})
            assert found.is_error
            assert "no code base is indexed yet; poe code-index" in text_of(found)
            nothing = await client.call_tool("list_code_bases", {})
            assert nothing.structured_content == {"result": []}

    asyncio.run(talk())
