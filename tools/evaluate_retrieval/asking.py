"""Asks the questions of a benchmark, with progress for whoever watches."""

from rag_llm_system.application.evaluation.beir import Benchmark
from rag_llm_system.application.evaluation.runs import Run, run
from rag_llm_system.domain.queries import Stages
from steps.progress import progress
from tools.evaluate_retrieval.index import Index


def asked(benchmark: Benchmark, index: Index, stages: Stages) -> Run:
    """One run over all judged queries, by a retriever of these stages."""
    ways = ", ".join(way for way in stages.model_dump().values() if way != "off")
    with progress(f"{benchmark.name}: asking ({ways})", len(benchmark.queries)) as advance:
        return run(
            index.system.retriever_with(stages),
            benchmark.queries,
            benchmark.grades,
            index.ingested.names,
            on_query=lambda: advance(1),
        )
