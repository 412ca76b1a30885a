"""A benchmark of code search in BEIR's layout, such as CoSQA: one function is one file."""

from collections.abc import Iterator
from pathlib import Path

from rag_llm_system.application.code.project import Project
from rag_llm_system.application.evaluation.beir import Benchmark, read_benchmark
from rag_llm_system.application.evaluation.code_questions import CodeQuestion, Lines
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.documents import sha256_of
from rag_llm_system.domain.errors import DataError
from rag_llm_system.settings import Settings
from tools.bench_code.corpora import Asked
from tools.bench_code.figures import Indexed, Run
from tools.bench_code.ours import indexed, searches
from tools.bench_code.quality import DOCUMENTED, GREP, Asking, size_name
from tools.bench_code.ways import Found, Search, documented, grep

_LANGUAGE = "python"
_ANY_LINE = 1 << 30


def measure_benchmark(
    folder: Path, split: str, settings: Settings, *, keep: Path | None
) -> tuple[tuple[Run, ...], Indexed]:
    """All ways; the rank of a function is that of its first chunk, among functions."""
    benchmark = read_benchmark(folder, split)
    files = list(_files(benchmark))
    some = list(_asked(benchmark))
    asking = Asking()
    tokens, overlap = settings.CODE_CHUNK_TOKENS, settings.CODE_CHUNK_OVERLAP_TOKENS
    kept = keep / f"{benchmark.name}-{tokens}-{overlap}" if keep else None
    project = Project(folder, benchmark.name)
    with indexed(
        files,
        project,
        settings,
        tokens=tokens,
        overlap=overlap,
        keep=kept,
        token_vectors=True,
    ) as index:
        way = documented(files, index.system.embedder, index.system.code_embedder)
        ways = {GREP: grep(files), DOCUMENTED: way, **searches(index)}
        for name, search in ways.items():
            asking.ask(name, size_name(tokens, overlap), by_file(search), some)
        row = Indexed(
            corpus=benchmark.name,
            version=f"split {split}",
            size=size_name(tokens, overlap),
            files=len(files),
            chunks=index.chunks,
            seconds=index.seconds if index.report.embedded_files == len(files) else 0.0,
        )
    return asking.runs(), row


def by_file(search: Search) -> Search:
    """Each file once, where its first result stands."""

    def files(question: str, k: int) -> list[Found]:
        found: dict[str, Found] = {}
        for one in search(question, k):
            found.setdefault(one.lines.file, one)
        return list(found.values())

    return files


def _files(benchmark: Benchmark) -> Iterator[CodeFile]:
    for name, document in benchmark.documents.items():
        text = document.text
        yield CodeFile(
            path=_path(name),
            content=text,
            size=len(text.encode("utf-8", "replace")),
            language=_LANGUAGE,
            sha256=sha256_of(text),
        )


def _asked(benchmark: Benchmark) -> Iterator[Asked]:
    for query, text in benchmark.queries.items():
        relevant = sorted(name for name, grade in benchmark.grades[query].items() if grade > 0)
        if not relevant:
            raise DataError(f"{benchmark.name}: nothing is relevant to query {query!r}")
        question = CodeQuestion(
            corpus=benchmark.name,
            kind="paraphrase",
            question=text,
            answers=tuple(f"{_path(name)}::" for name in relevant),
        )
        yield Asked(question, [Lines(_path(name), 1, _ANY_LINE) for name in relevant])


def _path(name: str) -> str:
    return f"{name}.py"
