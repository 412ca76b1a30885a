"""The command that proposes a golden set, in front of an index without documents."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.make_golden_set import main


def test_without_documents_it_says_how_to_get_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"DATA_DIR": str(tmp_path), "VECTOR_STORE": "memory"}.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(main, ["--questions", "3"])
    assert result.exit_code == 2
    assert "no documents are indexed; run: poe run-end-to-end-data-pipeline" in result.output
    assert list(tmp_path.glob("*.jsonl")) == []


def test_a_wrong_line_of_the_file_that_is_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["--output", str(path)])
    assert result.exit_code == 2
    assert "mine.jsonl, line 1: question: Field required" in result.output
