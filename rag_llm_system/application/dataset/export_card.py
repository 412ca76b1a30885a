"""What a set is, in Markdown: the gates as tables, and the card that goes with the files."""

from collections.abc import Iterable, Iterator, Sequence

from rag_llm_system.application.dataset.gates_report import DatasetReport, GateResult

_ABOUT = {
    "instruction": "Conversations to imitate; the last message is the assistant's.",
    "preference": "Questions with two answers, of which `chosen` is preferred to `rejected`.",
}


def dataset_card(title: str, report: DatasetReport, files: Sequence[tuple[str, str]]) -> str:
    """``README.md`` as the Hugging Face hub shows it; ``files`` are (name, what it holds).

    No licence is named: whose texts the rows were made from decides it.
    """
    lines = [
        "---",
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        "    path: train.jsonl",
        *(["  - split: test", "    path: test.jsonl"] if report.test_rows else []),
        "tags:",
        f"- {'dpo' if report.kind == 'preference' else 'sft'}",
        "---",
        "",
        f"# {title}",
        "",
        f"{_ABOUT[report.kind]} {report.train_rows:,} rows to train on and {report.test_rows:,} to test on, split by "
        "document.",
        "",
        *_table(("file", "rows"), files),
        "",
        *report_lines(report),
    ]
    return "\n".join(lines) + "\n"


def report_lines(report: DatasetReport, *, level: int = 2) -> Iterator[str]:
    """Gates, classes and examples; headings begin at ``level``."""
    mark = "#" * level
    yield f"{mark} Gates"
    yield ""
    yield (
        f"{report.train_rows:,} train rows, {report.test_rows:,} test rows, {report.turns:,} turns; answers have "
        + (f"{report.answer_words_mean:g} words on average.")
    )
    yield ""
    yield from _table(("gate", "value", "threshold", "passed", "note"), map(_cells, report.gates))
    if report.classes:
        yield from ("", f"{mark} Classes", "")
        yield from _table(
            ("key", "name", "rows", "share"),
            [(c.key, c.name, f"{c.rows:,}", f"{c.share:.3f}") for c in report.classes],
        )
    if report.examples:
        yield from ("", f"{mark} Examples", "")
        yield from _table(
            ("gate", "row", "text", "reason"),
            [(e.gate, e.row, e.text, e.reason) for e in report.examples],
        )


def _cells(gate: GateResult) -> tuple[str, ...]:
    value = "not measured" if gate.value is None else f"{gate.value:g}"
    passed = "yes" if gate.passed else "**no**"
    note = gate.note.removeprefix("not measured: ")
    return (gate.name, value, f"{gate.bound} {gate.threshold:g}", passed, note)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
