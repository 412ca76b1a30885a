"""The tools that a coding tool can call, and what they answer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from functools import partial
from importlib.metadata import version
from typing import Annotated, Any, TypeVar

from anyio import CancelScope
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from rag_llm_system.application.code.query_engine import TOP_K
from rag_llm_system.application.code.vectorizer import code_bases
from rag_llm_system.application.rag.answer import Asked, Assistant
from rag_llm_system.bootstrap import System
from rag_llm_system.domain.answers import Answer, ContextChunk
from rag_llm_system.domain.errors import BackendError, RagSystemError
from rag_llm_system.domain.redaction import redact
from tools.code.asking import place_line, require_code
from tools.code.bases import folder_of

NAME = "rag-llm-system-code"

_MOST_CHUNKS = 50
_READ_ONLY = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_INSTRUCTIONS = (
    "Code bases of this user, indexed by meaning and by the names they define. search_code finds the places in the "
    "code, ask_code answers a question from them. list_code_bases names what is indexed; `poe code-index -- FOLDER` "
    "indexes more."
)

Result = TypeVar("Result")
Repository = Annotated[str, Field(description="Only this code base, by its name; empty for all.")]


class CodeHit(BaseModel):
    """A piece of code. Lines count from 1; ``score`` is the cosine similarity to the query."""

    repository: str
    source_file: str
    start_line: int
    end_line: int
    symbol: str
    language: str
    score: float
    content: str


class IndexedCode(BaseModel):
    """A code base that can be searched."""

    name: str
    folder: str
    files: int
    chunks: int


class _Tools:
    """The tools, on a system that is opened by the first call: a coding tool starts every server it knows."""

    def __init__(self, open_system: Callable[[], System]) -> None:
        self._open_system = open_system
        self._opening = asyncio.Lock()
        self._opened: System | None = None

    async def search_code(
        self,
        query: Annotated[str, Field(min_length=1, description="What the code does, or a name.")],
        k: Annotated[int, Field(ge=1, le=_MOST_CHUNKS, description="How many places.")] = TOP_K,
        repository: Repository = "",
    ) -> list[CodeHit]:
        """Find the places in the indexed code bases that fit best, by meaning and by name, best first."""

        def search(system: System) -> list[CodeHit]:
            require_code(system.vectors, repository)
            return [_hit(chunk) for chunk in system.code_engine.search(query, k, repository)]

        return await self._done(search)

    async def ask_code(
        self,
        question: Annotated[str, Field(min_length=1, description="A question in plain words.")],
        repository: Repository = "",
    ) -> str:
        """Answer a question from the indexed code bases; the answer cites its sources, file and lines."""

        def prepared(system: System) -> tuple[Assistant, Asked]:
            require_code(system.vectors, repository)
            engine = system.code_engine
            return engine.answering, engine.asked(question, repository=repository)

        assistant, asked = await self._done(prepared)
        with _told():
            return _with_sources(await _own_task(partial(_answer, assistant, asked)))

    async def list_code_bases(self) -> list[IndexedCode]:
        """Name the code bases that are indexed."""
        bases = await self._done(lambda system: code_bases(system.vectors))
        return [
            IndexedCode(name=b.name, folder=folder_of(b), files=b.files, chunks=b.chunks)
            for b in bases
        ]

    async def close(self) -> None:
        if self._opened is not None:
            await asyncio.to_thread(self._opened.close)

    async def _done(self, work: Callable[[System], Result]) -> Result:
        """In a thread, so that other requests are answered meanwhile; our errors become the tool's."""
        with _told():
            async with self._opening:
                if self._opened is None:
                    self._opened = await asyncio.to_thread(self._open_system)
            return await asyncio.to_thread(work, self._opened)


def code_server(open_system: Callable[[], System]) -> MCPServer[None]:
    """The server; what it opens is closed when its client is gone."""
    tools = _Tools(open_system)

    @asynccontextmanager
    async def closing(_: MCPServer[None]) -> AsyncIterator[None]:
        try:
            yield
        finally:
            with CancelScope(shield=True):
                await tools.close()

    server = MCPServer(
        NAME,
        title="Code bases",
        instructions=_INSTRUCTIONS,
        version=version("rag-llm-system"),
        log_level="WARNING",
        lifespan=closing,
    )
    for tool in (tools.search_code, tools.ask_code, tools.list_code_bases):
        server.add_tool(tool, annotations=_READ_ONLY)
    return server


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except RagSystemError as error:
        raise ToolError(redact(str(error))) from error


async def _answer(assistant: Assistant, asked: Asked) -> Answer:
    """Streamed, as closing the stream is what stops a model that writes."""
    async with aclosing(assistant.events(asked)) as events:
        async for event in events:
            if isinstance(event, Answer):
                return event
    raise BackendError("the answer broke off; ask again")


async def _own_task(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """What ``work`` gives; a request that is cancelled ends it, and waits until it has cleaned up.

    In a task of its own: the SDK interrupts every wait of a cancelled request, those of cleaning up as well.
    """
    task = asyncio.create_task(work())
    try:
        await asyncio.wait({task})
    finally:
        if not task.done():
            task.cancel()
            with CancelScope(shield=True):
                await asyncio.wait({task})
    return task.result()


def _hit(chunk: ContextChunk) -> CodeHit:
    return CodeHit(
        repository=chunk.author_full_name,
        source_file=chunk.source_file or chunk.title,
        start_line=chunk.start_line,
        end_line=chunk.end_line,
        symbol=chunk.symbol,
        language=chunk.language,
        score=round(chunk.score, 4),
        content=chunk.content,
    )


def _with_sources(answer: Answer) -> str:
    """Notes and sources stand below the text; those that it cites, or all where it cites none."""
    cited = [source for source in answer.sources if source.cited] or answer.sources
    parts = [
        answer.text,
        "\n".join(f"Note: {note}" for note in answer.notes),
        "\n".join(
            [
                "Sources:",
                *(place_line(s.n, s.source_file or s.title, s.lines, s.score) for s in cited),
            ]
        )
        if cited
        else "",
    ]
    return "\n\n".join(filter(None, parts))
