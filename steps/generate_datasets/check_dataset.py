"""Fails the run when the training set does not pass its gates."""

from rag_llm_system.application.dataset.gates import check
from rag_llm_system.application.dataset.gates_report import DatasetReport
from steps.progress import say
from steps.tracing import traced_step


@traced_step
def check_dataset(report: DatasetReport) -> None:
    """Raises DataError naming each gate that fails; what was exported before stays as it is."""
    for example in report.examples if not report.passed else ():
        say(f"  {example.gate}: {example.row}: {example.text}")
    check(report)
