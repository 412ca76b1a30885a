"""What the new index finds of a golden set, beside what the index in use finds."""

from typing import Annotated

from zenml import get_step_context, log_metadata

from rag_llm_system.application.evaluation.gate import Gate
from rag_llm_system.application.evaluation.gate_report import GateReport
from rag_llm_system.application.evaluation.gate_results import ACCEPTED, Results, read_accepted
from rag_llm_system.application.indexing import LoadReport
from rag_llm_system.domain.documents import Value
from steps.feature_engineering.retrieval_gate import (
    gate_config,
    gate_questions,
    log_to_opik,
    searches_of,
)
from steps.progress import say
from steps.session import current_system
from steps.tracing import traced_step


class RetrievalResults(Value):
    """By question and way of searching, the ids of the documents that were found, best first."""

    results: Results


@traced_step
def evaluate_retrieval(
    loaded: LoadReport,
) -> tuple[
    Annotated[GateReport, "retrieval_report"], Annotated[RetrievalResults, "retrieval_results"]
]:
    """Judges, and changes nothing: ``check_retrieval`` acts on it."""
    system, config = current_system(), gate_config()
    questions, source = gate_questions(system, config)
    gate = Gate(system.vectors, searches_of(system), config)
    accepted = read_accepted(system.settings.data_dir / ACCEPTED)
    examined = gate.examine(loaded.candidate, questions, accepted)
    report = examined.report
    say(f"  {len(questions)} questions of {source}")
    for figure in report.figures:
        change = "" if figure.difference is None else f" ({figure.difference:+.3f})"
        say(f"  {figure.measure} by {figure.way}: {figure.mean:.3f}{change}")
    for note in report.notes:
        say(f"  {note}")
    log_metadata(
        {
            "passed": report.passed,
            "questions": len(questions),
            **{f"{figure.way} {figure.measure}": figure.mean for figure in report.figures},
        }
    )
    log_to_opik(system, report, name=get_step_context().pipeline_run.name)
    return report, RetrievalResults(results=examined.results)
