"""Is a set worth training on? Each gate compares one figure of the train and test rows with its threshold.

- leaks_exact: test rows of which a question or an answer is in train, case and punctuation aside.
- leaks_near: further test rows with one that is nearly the same as one in train.
- duplicates: share of the questions of train that came before.
- grounding_mean, ungrounded: share of an answer's words, names and numbers that its source holds; its mean, and the
  share of answers under ``grounding_row``.
- format: share of rows whose answers begin and end as sentences do and hold no tokens of a chat template.
- largest_class: share of the largest class, of the kinds and of the categories that rows name.
- same_answers: share of preferences whose two answers are the same.
- train_rows, test_rows: how many there are.
"""

from collections.abc import Iterable

from rag_llm_system.application.dataset.gates_leaks import leak_gates
from rag_llm_system.application.dataset.gates_report import (
    DatasetReport,
    GateThresholds,
    SourceOf,
)
from rag_llm_system.application.dataset.gates_rows import Tally
from rag_llm_system.domain.datasets import DatasetKind, PreferenceRow, Row
from rag_llm_system.domain.errors import DataError


def dataset_report(
    train: Iterable[Row],
    test: Iterable[Row],
    source_of: SourceOf | None = None,
    thresholds: GateThresholds | None = None,
) -> DatasetReport:
    """Reads the rows two or three times, one at a time.

    A row that brings its context is judged by that; others by ``source_of``.
    """
    limits = thresholds or GateThresholds()
    leaks, examples = leak_gates(train, test, limits)
    tally = Tally(source_of, limits)
    kind: DatasetKind = "instruction"
    for side, rows in (("train", train), ("test", test)):
        for row in rows:
            tally.add(row, side)
            kind = "preference" if isinstance(row, PreferenceRow) else "instruction"
    gates = [*leaks, *tally.gates()]
    verbatim = tally.verbatim_answers
    return DatasetReport(
        kind=kind,
        passed=all(gate.passed for gate in gates),
        train_rows=tally.rows["train"],
        test_rows=tally.rows["test"],
        turns=tally.turns,
        context_rows=tally.context_rows,
        answer_words_mean=round(tally.words / max(1, tally.turns), 1),
        verbatim_answers=None if verbatim is None else round(verbatim, 4),
        gates=gates,
        classes=tally.classes(),
        examples=[*examples, *tally.examples],
    )


def check(report: DatasetReport) -> None:
    """Raises DataError in one line that names each gate that failed."""
    failed = [gate for gate in report.gates if not gate.passed]
    if failed:
        named = "; ".join(
            f"{g.name} is {g.value:g}, must be {g.bound} {g.threshold:g}" for g in failed
        )
        raise DataError(
            f"the {report.kind} set fails {len(failed)} of {len(report.gates)} gates: {named}. See the examples in the "
            "report; mend the rows or what makes them, or change the threshold"
        )
