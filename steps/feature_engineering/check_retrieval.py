"""Lets the new index answer, or leaves the one in use and fails the run."""

from rag_llm_system.application.evaluation.gate_report import Asked, GateReport
from rag_llm_system.application.evaluation.gate_results import ACCEPTED, write_accepted
from rag_llm_system.application.indexing import LoadReport
from rag_llm_system.application.indexing.candidate import go_live, take_back
from rag_llm_system.domain.errors import DataError
from steps.feature_engineering.evaluate_retrieval import RetrievalResults
from steps.progress import say
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def check_retrieval(
    loaded: LoadReport, report: GateReport, results: RetrievalResults, gate: bool = True
) -> None:
    """Raises DataError when the report says no; ``gate`` false lets the index go live even so, and be the measure."""
    system = current_system()
    if not report.passed:
        for row in report.worse:
            say(f"  worse: {_told(row)}")
        if gate:
            take_back(system.vectors, loaded.candidate)
            raise DataError(_refusal(loaded, report))
        say(f"  accepted although {'; '.join(report.reasons)}")
    go_live(system.vectors, loaded.candidate)
    if results.results:
        write_accepted(system.settings.data_dir / ACCEPTED, results.results)
    if loaded.switched:
        say(
            "  the index of the new encoder is complete: answers come from it now. The old one is kept; "
            "poe drop-vectors -- --unused removes it"
        )


def _refusal(loaded: LoadReport, report: GateReport) -> str:
    why = "; ".join(report.reasons)
    if loaded.candidate.changes_nothing:
        return (
            f"the index in use is not as good as it was, and this run had nothing to change: {why}. Make it anew "
            "(poe drop-vectors, then poe run-feature-engineering-pipeline); if it is meant: --set gate=false"
        )
    return (
        f"the new index is refused, the one in use stays: {why}. Every question is in the run's artifact "
        "retrieval_report; if it is meant: --set gate=false"
    )


def _told(row: Asked) -> str:
    now = f"rank {row.rank}" if row.rank else "not found"
    return (
        f"{row.question!r} by {row.way}: {row.expected} was at rank {row.rank_before}, now {now}; first is "
        f"{row.first or 'nothing'}"
    )
