"""The ways of searching code in our own index, in a data folder of its own."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rag_llm_system.application.code.category import CODE, code_table
from rag_llm_system.application.code.project import Project
from rag_llm_system.application.code.vectorizer import CodeIndexReport, CodeVectorizer
from rag_llm_system.application.evaluation.code_questions import Lines
from rag_llm_system.application.preprocessing.chunking_data_handlers import Tokens
from rag_llm_system.application.rag.reranking import LateInteraction
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.bootstrap import System, build
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.ports import TokenEmbedder
from rag_llm_system.domain.queries import Query, Stages
from rag_llm_system.settings import Settings
from steps.progress import progress
from tools.bench_code.ways import Found, Search

_DENSE = Stages(self_query="off", expansion="off", ranking="dense", reranker="off")
RANKINGS: Mapping[str, Stages] = {
    "BM25": _DENSE.model_copy(update={"ranking": "bm25"}),
    "dense": _DENSE,
    "reciprocal rank fusion": _DENSE.model_copy(update={"ranking": "rrf"}),
    "evidence": _DENSE.model_copy(update={"ranking": "evidence"}),
    "evidence, late interaction": Stages(self_query="off"),
}
ENGINE = "the code assistant"
"""A ranking of these, as the settings have it, and what ``CodeQueryEngine`` adds to it."""


@dataclass(frozen=True)
class Index:
    """One code base, indexed; ``seconds`` is what that took, zero when it was there already."""

    system: System
    project: Project
    tokens: int
    overlap: int
    report: CodeIndexReport
    chunks: int
    seconds: float


def overlap_of(tokens: int) -> int:
    """The documents' 200 of 1,500, and a tenth of smaller chunks."""
    return 200 if tokens == 1500 else tokens // 10


def settings_in(folder: Path, settings: Settings, tokens: int, overlap: int) -> Settings:
    """As a user has them, but for the folder and the chunk size: an index on a server is not touched."""
    store = settings.VECTOR_STORE
    return settings.model_copy(
        update={
            "DATA_DIR": folder,
            "VECTOR_STORE": "qdrant-edge" if store.startswith("qdrant") else store,
            "TRACING": "off",  # a span for each of thousands of questions is nothing that anybody would read
            "CODE_CHUNK_TOKENS": tokens,
            "CODE_CHUNK_OVERLAP_TOKENS": overlap,
        }
    )


@contextmanager
def indexed(
    files: Sequence[CodeFile],
    project: Project,
    settings: Settings,
    *,
    tokens: int,
    overlap: int,
    keep: Path | None,
    token_vectors: bool = False,
) -> Iterator[Index]:
    """In ``keep`` the index stays, and what is there already is not embedded again.

    ``token_vectors`` are kept too, which late interaction reads; the code assistant has no use for them.
    """
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(TemporaryDirectory(prefix="bench-code-")))
        folder.mkdir(parents=True, exist_ok=True)
        system = stack.enter_context(build(settings_in(folder, settings, tokens, overlap)))
        started = time.perf_counter()
        table = code_table(Tokens(tokens, overlap=overlap))
        keeping = system.embedding_cache or system.embedder
        embedder = keeping if token_vectors else system.code_embedder
        with progress(f"{project.name}: files indexed", len(files)) as advance:
            vectorizer = CodeVectorizer(system.vectors, embedder, table)
            report = vectorizer.embed_and_store(files, project, advance)
        seconds = time.perf_counter() - started
        live = system.vectors.aliases()[CODE.chunk_collection]
        chunks = system.vectors.count(live, where={"window": 0})
        yield Index(system, project, tokens, overlap, report, chunks, seconds)


def searches(index: Index) -> dict[str, Search]:
    """Every ranking over the same chunks, and the code assistant as it is."""
    found = {name: _by(index, stages) for name, stages in RANKINGS.items()}
    return {**found, ENGINE: assistant(index)}


def assistant(index: Index) -> Search:
    engine = index.system.code_engine

    def search(question: str, k: int) -> list[Found]:
        return list(map(_found, engine.search(question, k)))

    return search


def _by(index: Index, stages: Stages) -> Search:
    system = index.system
    table = code_table(Tokens(index.tokens, overlap=index.overlap))
    reranking = None
    if stages.reranker == "late-interaction" and isinstance(system.embedder, TokenEmbedder):
        reranking = LateInteraction(system.vectors, system.embedder)
    retriever = ContextRetriever(
        system.vectors, system.embedder, system.tracer, table, stages=stages, reranking=reranking
    )

    def search(question: str, k: int) -> list[Found]:
        return list(map(_found, retriever.search(Query(text=question), k)))

    return search


def _found(chunk: ContextChunk) -> Found:
    return Found(Lines(chunk.source_file, chunk.start_line, chunk.end_line), len(chunk.content))
