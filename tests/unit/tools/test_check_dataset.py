"""The command that runs the gates on training sets."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tools.check_dataset import main

BREAD = {"instruction": "What is bread made of?", "output": "Flour, water and salt make bread."}
CLAY = {"instruction": "What are pots made of?", "output": "Pots are made of fired clay."}
RIVERS = {"instruction": "Where do rivers go?", "output": "Rivers carry water to the sea."}


def write(path: Path, *values: object) -> str:
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values), encoding="utf-8")
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_a_good_set_passes(tmp_path: Path):
    train = write(tmp_path / "train.jsonl", BREAD, CLAY)
    test = write(tmp_path / "test.jsonl", RIVERS)
    texts = " ".join(row["output"] for row in (BREAD, CLAY, RIVERS))
    sources = write(tmp_path / "sources.jsonl", {"text": texts})

    result = run(train, "--test", test, "--sources", sources)

    assert result.exit_code == 0, result.output
    assert "2 instruction rows to train on, 1 to test on" in result.output
    assert "FAILED" not in result.output
    assert "3 answers, 3 of them verbatim" in result.output


def test_a_leak_ends_with_one_line_and_exit_code_2(tmp_path: Path):
    train = write(tmp_path / "train.jsonl", BREAD, CLAY)
    test = write(tmp_path / "test.jsonl", {**RIVERS, "instruction": "what is bread made of"})

    result = run(train, "--test", test)

    assert result.exit_code == 2
    assert "leaks_exact, test row 1: what is bread made of" in result.output
    (error,) = [line for line in result.output.splitlines() if line.startswith("error: ")]
    assert "train.jsonl: the instruction set fails 1 of 9 gates: leaks_exact is 1" in error


def test_without_test_rows_leaks_are_not_measured_and_nothing_fails(tmp_path: Path):
    result = run(write(tmp_path / "train.jsonl", BREAD, CLAY))

    assert result.exit_code == 0, result.output
    assert "not measured: there are no test rows" in result.output


def test_published_sets_bring_both_sides_and_the_report_is_written(tmp_path: Path):
    pair = {"instruction": "Why?", "chosen": "Because it is.", "rejected": "because it is"}
    samples = {"articles": {"samples": [pair]}}
    published = write(tmp_path / "pairs.json", {"train": samples, "test": samples})
    train = write(tmp_path / "train.jsonl", BREAD, CLAY)
    report = tmp_path / "new" / "datasets.md"

    result = run(train, published, "--output", str(report))

    assert result.exit_code == 2
    assert "error: pairs.json: the preference set fails" in result.output
    assert "category: articles 2" in result.output
    text = report.read_text(encoding="utf-8")
    assert "`poe check-dataset -- train.jsonl pairs.json --output datasets.md`" in text
    assert str(tmp_path) not in text
    assert "| same_answers | 1 | at most 0 | **no** | 2 of 2 rows prefer" in text


def test_a_row_is_compared_with_its_own_document(tmp_path: Path):
    train = write(tmp_path / "train.jsonl", {**BREAD, "document_id": "b"})
    sources = write(
        tmp_path / "sources.jsonl",
        {"id": "a", "text": BREAD["output"]},
        {"id": "b", "text": "Rivers carry water."},
    )
    result = run(train, "--sources", sources)

    assert result.exit_code == 2
    assert "0 of them verbatim" in result.output
    assert "not there: Flour, salt, make, bread" in result.output


def test_thresholds_can_be_changed(tmp_path: Path):
    train = write(tmp_path / "train.jsonl", BREAD, BREAD)

    assert run(train).exit_code == 2
    assert run(train, "--threshold", "duplicates=0.5").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--threshold", "duplicates"), "write NAME=VALUE"),
        (("--threshold", "duplicates=2"), "duplicates: Input should be less than or equal to 1"),
        (("--threshold", "colour=2"), "colour: Extra inputs are not permitted; known: near_thresh"),
        (("--sources", "absent"), "absent: no such file or folder"),
        (("train.jsonl", "--test", "test.jsonl"), "--test belongs to one set"),
    ],
)
def test_bad_arguments_are_named(tmp_path: Path, arguments: tuple[str, ...], reason: str):
    result = run(write(tmp_path / "train.jsonl", BREAD), *arguments)

    assert result.exit_code == 2
    assert reason in result.output


def test_a_malformed_row_is_named(tmp_path: Path):
    result = run(write(tmp_path / "train.jsonl", BREAD, {"instruction": "Why?", "output": 3}))

    assert result.exit_code == 2
    assert "train.jsonl, line 2: output: expected a text, found a number" in result.output
