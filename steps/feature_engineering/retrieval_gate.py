"""What the gate needs from outside: its configuration, its questions and the ways of searching."""

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import ValidationError

from rag_llm_system.application.evaluation.gate import SearchesIn
from rag_llm_system.application.evaluation.gate_report import Asked, GateConfig, GateReport
from rag_llm_system.application.evaluation.gate_results import Search
from rag_llm_system.application.evaluation.golden import (
    GOLDEN_SET,
    GoldenQuestion,
    chosen,
    read_golden,
    sampled_documents,
)
from rag_llm_system.application.evaluation.golden_proposals import proposals
from rag_llm_system.application.evaluation.ways import by_answers, by_vectors
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.bootstrap import System
from rag_llm_system.bootstrap.opik_server import opik_server
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.ports import Tracer, VectorStore, encoder_name
from rag_llm_system.domain.queries import Stages
from rag_llm_system.infrastructure.loading import load
from rag_llm_system.infrastructure.tracing import TRACERS

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "retrieval_gate.yaml"

# what costs time, or does other things than finding the document, is not the index's
_ANSWERS = Stages(self_query="off", expansion="off", reranker="off")


def gate_config() -> GateConfig:
    """Raises ConfigurationError naming what is wrong in ``configs/retrieval_gate.yaml``."""
    try:
        return GateConfig.model_validate(yaml.safe_load(CONFIG.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(f"{CONFIG.name}: {' '.join(str(error).split())}") from None


def gate_questions(system: System, config: GateConfig) -> tuple[list[GoldenQuestion], str]:
    """The golden set's, else proposals from the indexed documents; and where they are from."""
    path = system.settings.data_dir / GOLDEN_SET
    if rows := read_golden(path):
        return chosen(rows, config.questions, enough=config.min_questions), str(path)
    documents = sampled_documents(system.vectors, config.seed)
    proposed = list(proposals(documents, config.seed))[: config.questions]
    return proposed, "the documents, by proposal; poe make-golden-set proposes them for review"


def searches_of(system: System) -> SearchesIn:
    """As answers are found, and by the vectors alone; hundreds of questions would drown the run's trace."""
    untraced: Tracer = load("tracer", "off", TRACERS)()

    def searches(store: VectorStore) -> Mapping[str, Search]:
        answers = ContextRetriever(store, system.embedder, untraced, stages=_ANSWERS)
        return {
            "answers": by_answers(answers),
            "vectors": by_vectors(store, system.embedder),
        }

    return searches


def log_to_opik(system: System, report: GateReport, *, name: str) -> None:
    """The questions as a dataset and this evaluation as an experiment, where there is an Opik server."""
    server = opik_server(system.settings)
    if server is None:
        return
    from rag_llm_system.infrastructure.tracing.opik_experiments import (  # imports the SDK
        ExperimentRow,
        log_experiment,
    )

    rows = [
        ExperimentRow(
            item={"question": of_question[0].question, "link": of_question[0].expected},
            output={row.way: {"rank": row.rank, "first": row.first} for row in of_question},
            scores={f"reciprocal rank by {row.way}": row.reciprocal_rank for row in of_question},
        )
        for of_question in _by_question(report)
    ]
    verdict = {"passed": report.passed, "encoder": encoder_name(system.embedder)}
    log_experiment(server, rows, dataset="retrieval golden set", name=name, config=verdict)


def _by_question(report: GateReport) -> list[list[Asked]]:
    rows: dict[tuple[str, str], list[Asked]] = {}
    for row in report.questions:
        rows.setdefault((row.question, row.expected), []).append(row)
    return [rows[key] for key in sorted(rows)]
