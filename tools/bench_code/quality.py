"""Asks every question in every way, and keeps the rank of the first result that has a line of the answer."""

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag_llm_system.application.code.project import Project
from rag_llm_system.application.evaluation.code_questions import first_hit
from rag_llm_system.settings import Settings
from steps.progress import say
from tools.bench_code.corpora import Asked, Corpus, asked, corpora, questions
from tools.bench_code.figures import Answered, Indexed, Run
from tools.bench_code.ours import Index, indexed, searches
from tools.bench_code.ways import DEPTH, USERS_K, Found, Search, documented, grep

GREP = "grep"
DOCUMENTED = "the documents' way"
_DOCUMENTED_SIZE = "1500 characters, overlap 200"


class Asking:
    """Collects the answers of all code bases, way by way."""

    def __init__(self) -> None:
        self._answered: dict[tuple[str, str], list[Answered]] = defaultdict(list)
        self._seconds: dict[tuple[str, str], list[float]] = defaultdict(list)

    def ask(self, way: str, size: str, search: Search, some: Sequence[Asked]) -> None:
        """Timed with a user's k, when all questions were asked once: the first way would load files for the others."""
        for one in some:
            found = search(one.question.question, DEPTH)
            self._answered[way, size].append(answered(one, found))
        for one in some:
            started = time.perf_counter()
            search(one.question.question, USERS_K)
            self._seconds[way, size].append(time.perf_counter() - started)

    def runs(self) -> tuple[Run, ...]:
        return tuple(
            _run(way, size, found, self._seconds[way, size])
            for (way, size), found in self._answered.items()
        )


def answered(one: Asked, found: Sequence[Found]) -> Answered:
    rank = first_hit([each.lines for each in found], one.wanted)
    return Answered(
        corpus=one.question.corpus,
        kind=one.question.kind,
        half=one.question.half,
        question=one.question.question,
        rank=rank,
        chars=sum(each.chars for each in found[:rank]) if rank else 0,
    )


def measure(
    settings: Settings,
    sizes: Sequence[tuple[int, int]],
    *,
    keep: Path | None,
    only_ours: bool = False,
) -> tuple[tuple[Run, ...], tuple[Indexed, ...]]:
    """All ways at each size of our chunks (tokens, overlap); the ways that have none once, unless ``only_ours``."""
    asking, rows, every = Asking(), list[Indexed](), questions()
    for corpus in corpora().values():
        files, some = corpus.files(), asked(corpus, every)
        project = Project(corpus.root, corpus.name)
        if not only_ours:
            asking.ask(GREP, "40 lines", grep(files), some)
        for number, (tokens, overlap) in enumerate(sizes):
            folder = keep / f"{corpus.name}-{tokens}-{overlap}" if keep else None
            with indexed(
                files,
                project,
                settings,
                tokens=tokens,
                overlap=overlap,
                keep=folder,
                token_vectors=True,
            ) as index:
                rows.append(_indexed(corpus, index, len(files)))
                say(f"{corpus.name}: {rows[-1].chunks:,} chunks of {rows[-1].size}")
                if not (only_ours or number):
                    way = documented(files, index.system.embedder, index.system.code_embedder)
                    asking.ask(DOCUMENTED, _DOCUMENTED_SIZE, way, some)
                for name, search in searches(index).items():
                    asking.ask(name, rows[-1].size, search, some)
    return asking.runs(), tuple(rows)


def _indexed(corpus: Corpus, index: Index, files: int) -> Indexed:
    return Indexed(
        corpus=corpus.name,
        version=corpus.version,
        size=size_name(index.tokens, index.overlap),
        files=files,
        chunks=index.chunks,
        seconds=index.seconds if index.report.embedded_files == files else 0.0,
    )


def size_name(tokens: int, overlap: int) -> str:
    return f"{tokens} tokens, overlap {overlap}"


def _run(way: str, size: str, found: Sequence[Answered], seconds: Sequence[float]) -> Run:
    p50, p95 = np.percentile([1000 * each for each in seconds], (50, 95))
    return Run(way=way, size=size, answered=tuple(found), p50_ms=float(p50), p95_ms=float(p95))
