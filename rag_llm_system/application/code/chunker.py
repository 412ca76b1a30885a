"""Source files -> chunks that say where they stand: functions and classes whole, with what is around them."""

from collections.abc import Mapping

from rag_llm_system.application.code.category import CODE_TABLE
from rag_llm_system.application.code.context_lines import Surroundings
from rag_llm_system.application.code.project import Project
from rag_llm_system.application.preprocessing.categories import Category
from rag_llm_system.application.preprocessing.dispatchers import ChunkingDispatcher
from rag_llm_system.domain.chunks import Chunk
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.documents import Value, sha256_of
from rag_llm_system.domain.ports import Embedder

_DIGITS = 8


class CodeChunk(Value):
    """Lines ``[start_line, end_line]`` of a file; ``symbol`` and ``symbols`` as in ``chunks.Chunk``.

    ``id`` is ``src/auth.py_0_abc12345``: path, ``chunk_id`` (the chunk's number in the file) and a digest of the code
    base, the path, the number and the content. ``context`` has the imports that the chunk uses and the signatures of
    the definitions around it.
    """

    id: str
    source_file: str
    language: str
    chunk_id: int
    total_chunks: int
    start_line: int
    end_line: int
    symbol: str = ""
    symbols: tuple[str, ...] = ()
    content: str
    context: tuple[str, ...] = ()


class SmartCodeChunker:
    """Cuts files as the index does, by the encoder's own tokenizer."""

    def __init__(self, embedder: Embedder, table: Mapping[str, Category] = CODE_TABLE) -> None:
        self._chunking = ChunkingDispatcher(embedder, table)

    def chunk_with_context(self, file: CodeFile, project: Project) -> list[CodeChunk]:
        """In the order of the file; none when there is nothing but white space in it."""
        document = project.cleaned(file)
        chunks = self._chunking.dispatch(document) if document else []
        around = Surroundings(file.content, file.language)
        return [_with_context(chunk, around, project) for chunk in chunks]


def code_chunk_id(project: Project, path: str, ordinal: int, content: str) -> str:
    """Readable, and different for every chunk of every code base."""
    digest = sha256_of("\x00".join((project.id, path, str(ordinal), content)))[:_DIGITS]
    return f"{path}_{ordinal}_{digest}"


def _with_context(chunk: Chunk, around: Surroundings, project: Project) -> CodeChunk:
    return CodeChunk(
        id=code_chunk_id(project, chunk.source_file, chunk.ordinal, chunk.content),
        source_file=chunk.source_file,
        language=chunk.language,
        chunk_id=chunk.ordinal,
        total_chunks=chunk.total_chunks,
        start_line=chunk.start_line,
        end_line=chunk.end_line,
        symbol=chunk.symbol,
        symbols=chunk.symbols,
        content=chunk.content,
        context=tuple(around.of(chunk.start_line, chunk.end_line)),
    )
