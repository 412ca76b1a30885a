"""The figures of one evaluation as programs and people read them."""

import json
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from rag_llm_system.application.evaluation.beir import Benchmark
from rag_llm_system.application.evaluation.bootstrap import Interval
from rag_llm_system.application.evaluation.metrics import METRICS
from rag_llm_system.application.evaluation.runs import Latency, Run
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.ports import encoder_name
from rag_llm_system.domain.queries import Stages
from tools.bench_vector_stores.memory import memory_mb
from tools.bench_vector_stores.report import machine
from tools.evaluate_retrieval.index import Index

PACKAGES = ("rag-llm-system", "qdrant-edge-py", "torch", "sentence-transformers", "numpy")
_SHOWN_DOCUMENTS = 10


class Evaluation(Value):
    """One run of one recipe over one benchmark. ``peak_memory_mb`` is that of the process, indexing included."""

    dataset: str
    split: str
    measures: Mapping[str, Interval]
    queries: int
    documents: int
    chunks: int
    windows: int
    dropped: int
    absent: int
    categories: Mapping[str, int]
    stages: Stages
    latency_ms: Mapping[str, Latency]
    peak_memory_mb: float
    encoder: str
    vector_store: str
    versions: Mapping[str, str]
    seed: int
    machine: str
    started: str
    embedded: int
    index_seconds: float
    seconds: float

    def as_json(self) -> str:
        """The means stand at the top, under the names of their measures."""
        fields = self.model_dump(mode="json", exclude={"measures"})
        means = {name: found.mean for name, found in self.measures.items()}
        intervals = {name: [found.low, found.high] for name, found in self.measures.items()}
        return json.dumps({**means, "intervals": intervals, **fields}, indent=2) + "\n"


class Begun(NamedTuple):
    """When a run began, and on what machine, with the load that others gave it then."""

    at: datetime
    machine: str

    @classmethod
    def now(cls) -> "Begun":
        return cls(datetime.now(UTC), machine(())["machine"])


def evaluation(
    benchmark: Benchmark, index: Index, stages: Stages, found: Run, *, seed: int, begun: Begun
) -> Evaluation:
    store = index.system.settings.VECTOR_STORE
    return Evaluation(
        dataset=benchmark.name,
        split=benchmark.split,
        measures=found.intervals(seed),
        queries=len(benchmark.queries),
        documents=len(benchmark.documents),
        chunks=index.chunks,
        windows=index.windows,
        dropped=len(index.ingested.dropped),
        absent=len(benchmark.absent),
        categories=index.ingested.categories,
        stages=stages,
        latency_ms=found.latency_ms,
        peak_memory_mb=round(memory_mb()["VmHWM"], 1),
        encoder=encoder_name(index.system.embedder),
        vector_store="qdrant-edge" if store == "qdrant" else store,
        versions={"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        seed=seed,
        machine=begun.machine,
        started=f"{begun.at:%Y-%m-%d %H:%M:%S} UTC",
        embedded=index.ingested.embedded,
        index_seconds=round(index.seconds, 1),
        seconds=round((datetime.now(UTC) - begun.at).total_seconds(), 1),
    )


def lines(found: Evaluation) -> Iterator[str]:
    yield (
        f"{found.dataset} ({found.split}): {found.queries:,} queries, {found.documents:,} documents, "
        f"{found.chunks:,} chunks"
    )
    yield ", ".join(f"{stage} {way}" for stage, way in found.stages.model_dump().items())
    for name, interval in found.measures.items():
        yield f"  {name:<12} {interval.mean:.4f}  (95 %: {interval.low:.4f} to {interval.high:.4f})"
    for stage, latency in found.latency_ms.items():
        yield f"  {stage:<24} p50 {latency.p50:7.1f} ms  p95 {latency.p95:7.1f} ms"
    yield f"  peak memory              {found.peak_memory_mb:11,.0f} MB"


def query_lines(benchmark: Benchmark, found: Run) -> str:
    """For inspection, a JSON line for each query: its measures, its best documents and what is relevant."""
    rows: list[dict[str, Any]] = [
        {
            "query": query,
            "text": text,
            **{name: found.measures[name][query] for name in METRICS},
            "found": found.rankings[query][:_SHOWN_DOCUMENTS],
            "relevant": sorted(d for d, grade in benchmark.grades[query].items() if grade > 0),
        }
        for query, text in benchmark.queries.items()
    ]
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def make_room(path: Path) -> None:
    """Its folder, made before long work; raises ConfigurationError when it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}; name another file"
        ) from error
