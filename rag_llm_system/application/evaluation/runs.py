"""Every query of a benchmark through a retriever: which documents it ranks where, and how long it takes."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rag_llm_system.application.evaluation.bootstrap import Interval, mean_interval
from rag_llm_system.application.evaluation.metrics import (
    DEPTH,
    METRICS,
    Grades,
    PerQuery,
    per_query,
)
from rag_llm_system.application.rag.retriever import DEFAULT_K
from rag_llm_system.domain.answers import Context
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.queries import Query

TOTAL = "total"

TIMED = 300
"""So many queries, at even distances, are timed; all are ranked."""

_CHUNKS = (100, 200, 400, 1000)
"""Asked for one after the other, until there are enough documents: a document may be many chunks."""

_WARM_UPS = 3


class Retriever(Protocol):
    """What is evaluated; ``ContextRetriever`` is one."""

    def retrieve(self, query: Query, k: int) -> Context: ...


class Latency(Value):
    """Milliseconds: the median, and what 95 % of the queries stay below."""

    p50: float
    p95: float


@dataclass(frozen=True)
class Run:
    """``rankings`` has the ids of documents by query, best first, at most ``metrics.DEPTH``.

    ``measures`` has each measure of each query; ``latency_ms`` that of each stage that ran and of the whole.
    """

    rankings: Mapping[str, Sequence[str]]
    measures: Mapping[str, PerQuery]
    latency_ms: Mapping[str, Latency]

    def intervals(self, seed: int) -> dict[str, Interval]:
        return {name: mean_interval(values, seed=seed) for name, values in self.measures.items()}


def run(
    retriever: Retriever,
    queries: Mapping[str, str],
    judged: Mapping[str, Grades],
    names: Mapping[str, str],
    on_query: Callable[[], None] = lambda: None,
) -> Run:
    """Ask every query; ``names`` has the benchmark's ids of documents by ours.

    A query is timed with the k of a user's question, and before it is ranked: nothing that it needs was fetched for it
    a moment ago. A document with the id of the query, which benchmarks of arguments have, is the query itself: it is
    left out unless it is judged relevant, as BEIR does.
    """
    seconds: dict[str, list[float]] = defaultdict(list)
    rankings: dict[str, Sequence[str]] = {}
    for text in list(queries.values())[:_WARM_UPS]:
        retriever.retrieve(Query(text=text), DEFAULT_K)
    step = -(-len(queries) // TIMED) or 1
    for number, (query, text) in enumerate(queries.items()):
        if number % step == 0:
            for stage, taken in _timed(retriever, text).items():
                seconds[stage].append(taken)
        itself = query if judged[query].get(query, 0) <= 0 else None
        rankings[query] = ranked_documents(retriever, text, names, leave_out=itself)
        on_query()
    return Run(
        rankings=rankings,
        measures={metric: per_query(metric, rankings, judged) for metric in METRICS},
        latency_ms={stage: _latency(found) for stage, found in seconds.items()},
    )


def ranked_documents(
    retriever: Retriever, text: str, names: Mapping[str, str], *, leave_out: str | None = None
) -> list[str]:
    """The benchmark's ids of the best documents, each where its first chunk stands; at most ``metrics.DEPTH``."""
    documents: list[str] = []
    before = 0
    for k in _CHUNKS:
        chunks = retriever.retrieve(Query(text=text), k).chunks
        found = dict.fromkeys(names[chunk.document_id] for chunk in chunks)
        documents = [document for document in found if document != leave_out]
        if len(documents) >= DEPTH or len(found) == len(names) or len(chunks) == before:
            break
        before = len(chunks)
    return documents[:DEPTH]


def _timed(retriever: Retriever, text: str) -> dict[str, float]:
    """The seconds of each stage, and of all from the question to the context."""
    started = time.perf_counter()
    context = retriever.retrieve(Query(text=text), DEFAULT_K)
    total = time.perf_counter() - started
    return {**context.timings_s, TOTAL: total}


def _latency(seconds: Iterable[float]) -> Latency:
    p50, p95 = np.percentile([1000 * each for each in seconds], (50, 95))
    return Latency(p50=float(p50), p95=float(p95))
