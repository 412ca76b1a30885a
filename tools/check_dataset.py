"""Runs the gates on training sets: ``poe check-dataset -- train.jsonl --test test.jsonl``."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag_llm_system.domain.errors import ConfigurationError, DataError
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.application.dataset.gates_report import (
        DatasetReport,
        GateThresholds,
        SourceOf,
    )
    from rag_llm_system.domain.datasets import Row

_FILE = click.Path(path_type=Path, dir_okay=False)
_PACKAGES = ("rag-llm-system", "datasketch", "numpy")
_INTRODUCTION = """\
Questions and answers count as repeated when they are the same but for case and punctuation, and as nearly repeated when
their runs of three words overlap by 80 % or more (estimated by MinHash). Grounding is the share of an answer's words,
names and numbers that its source holds. Where the rows do not name their source, it is the passage that holds most of
the answer, of all the sources: the figure is the highest that can be claimed. A sentence taken from a source has 1.
"""


@click.command(
    help="Run the gates on training sets: leaks between train and test, duplicates, grounding, form and balance. Reads "
    "JSON lines of any form, and JSON files of ZenML artifacts, which hold both sides; plain or .gz."
)
@click.argument("sets", nargs=-1, required=True, type=_FILE)
@click.option("--test", type=_FILE, help="The test rows that belong to the set.")
@click.option(
    "--sources",
    type=click.Path(path_type=Path),
    help="The documents that the rows were made from: JSON, JSON lines, Markdown, or a folder.",
)
@click.option(
    "--threshold",
    "changed",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another threshold than the default's, such as grounding_mean=0.5.",
)
@click.option("--output", type=_FILE, help="Where the report goes, as Markdown.")
@click.option("--about", default="", help="Where the sets are from, for the report.")
def main(
    sets: tuple[Path, ...],
    test: Path | None,
    sources: Path | None,
    *,
    changed: tuple[str, ...],
    output: Path | None,
    about: str,
) -> None:
    with clean_exit():
        if test and len(sets) > 1:
            raise ConfigurationError("--test belongs to one set; check the sets one by one")
        source_of = _source_of(sources) if sources else None
        reports = {path.name: _report(path, test, source_of, changed) for path in sets}
        for name, report in reports.items():
            click.echo(f"{name}\n")
            for line in _lines(report):
                click.echo(f"  {line}")
        if output:
            _write(output, reports, sources, about)
        failures = [
            f"{name}: {why}" for name, report in reports.items() if (why := _failure(report))
        ]
        if failures:
            raise DataError("; ".join(failures))


def _report(
    path: Path, test: Path | None, source_of: "SourceOf | None", changed: Sequence[str]
) -> "DatasetReport":
    from rag_llm_system.application.dataset.gates import dataset_report
    from rag_llm_system.application.dataset.published import is_published, read_published
    from rag_llm_system.application.dataset.rows_files import RowsFile

    train_rows: Iterable[Row]
    test_rows: Iterable[Row]
    if is_published(path):
        _, train_rows, test_rows = read_published(path)
    else:
        train = RowsFile(path)
        train_rows, test_rows = train, RowsFile(test, train.kind) if test else ()
    limits = _thresholds(changed, has_test=bool(test) or is_published(path))
    return dataset_report(train_rows, test_rows, source_of, limits)


def _thresholds(changed: Sequence[str], *, has_test: bool) -> "GateThresholds":
    """The default's but for those named; without test rows none are asked for."""
    from pydantic import ValidationError

    from rag_llm_system.application.dataset.gates_report import GateThresholds

    values = {"test_rows": "1" if has_test else "0"}
    for one in changed:
        name, equals, value = one.partition("=")
        if not equals:
            raise ConfigurationError(f"--threshold {one!r}: write NAME=VALUE")
        values[name] = value
    try:
        return GateThresholds.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        known = ", ".join(GateThresholds.model_fields)
        raise ConfigurationError(
            f"--threshold {first['loc'][0]}: {first['msg']}; known: {known}"
        ) from error


def _source_of(path: Path) -> "SourceOf":
    """A row's own document, where it names one of these; else the passage that holds most of its answers."""
    from rag_llm_system.application.dataset.grounding import Corpus
    from rag_llm_system.application.dataset.published import read_sources
    from rag_llm_system.domain.datasets import turns_of

    texts = dict(read_sources(path))
    corpus = Corpus(texts.values())

    def source_of(row: "Row") -> str:
        answers = " ".join(answer for _, answer in turns_of(row))
        return texts.get(row.document_id) or corpus.best_passage(answers)

    return source_of


def _failure(report: "DatasetReport") -> str:
    from rag_llm_system.application.dataset.gates import check

    try:
        check(report)
    except DataError as error:
        return str(error)
    return ""


def _lines(report: "DatasetReport") -> Iterator[str]:
    yield f"{report.train_rows:,} {report.kind} rows to train on, {report.test_rows:,} to test on"
    for gate in report.gates:
        value = "-" if gate.value is None else f"{gate.value:g}"
        verdict = "ok" if gate.passed else "FAILED"
        bound = f"{gate.bound} {gate.threshold:g}"
        yield f"{verdict:<7} {gate.name:<15} {value:>8}  {bound:<14} {gate.note}".rstrip()
    for key in dict.fromkeys(count.key for count in report.classes):
        counts = [f"{c.name} {c.rows:,}" for c in report.classes if c.key == key]
        yield f"{key}: {', '.join(counts)}"
    for example in report.examples:
        yield f"{example.gate}, {example.row}: {example.text}"
        yield f"    {example.reason}"


def _write(
    output: Path, reports: "dict[str, DatasetReport]", sources: Path | None, about: str
) -> None:
    """Files are named without their folders: where they lie says nothing to the reader."""
    from rag_llm_system.application.dataset.export_card import report_lines
    from rag_llm_system.application.evaluation.whole_files import write_whole
    from tools.bench_vector_stores.report import machine
    from tools.evaluate_retrieval.report import make_room

    make_room(output)
    named = [*reports, *(["--sources", sources.name] if sources else [])]
    lines = [
        "# Dataset gates",
        "",
        f"Written by `poe check-dataset -- {' '.join(named)} --output {output.name}`; do not edit.",
        "",
        *(f"- {name}: {value}" for name, value in machine(_PACKAGES).items()),
        "",
        *([about, ""] if about else []),
        _INTRODUCTION,
    ]
    for name, report in reports.items():
        lines += [f"## {name}", "", *report_lines(report, level=3), ""]
    write_whole(output, "\n".join(lines))


if __name__ == "__main__":
    start(main)
