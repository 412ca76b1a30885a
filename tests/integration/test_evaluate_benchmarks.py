"""A benchmark in BEIR's layout through the real encoder, Qdrant Edge and the real retriever."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rag_llm_system.settings import PROJECT_ROOT
from tools.evaluate_retrieval.__main__ import main

TINY = PROJECT_ROOT / "tests" / "data" / "beir_tiny"


def figures(dataset: str, output: Path, *arguments: str) -> dict[str, Any]:
    given = ["--dataset", str(TINY / dataset), "--output", str(output), *arguments]
    ran = CliRunner().invoke(main, given)
    assert ran.exit_code == 0, ran.output
    found: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return found


@pytest.fixture(autouse=True)
def default_backends(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VECTOR_STORE", "EMBEDDER", "QDRANT_DATABASE_HOST"):
        monkeypatch.delenv(name, raising=False)


def test_the_right_documents_are_found_in_prose_and_in_code(tmp_path: Path) -> None:
    prose = figures("prose", tmp_path / "prose.json")
    assert prose["mrr@10"] == 1.0
    assert prose["vector_store"] == "qdrant-edge"
    assert "all-MiniLM-L6-v2" in prose["encoder"]
    code = figures("code", tmp_path / "code.json")
    assert code["ndcg@10"] == 1.0
    assert code["categories"] == {"repositories": 10}


def test_a_kept_index_is_used_again_by_every_recipe(tmp_path: Path) -> None:
    keep = ("--keep", str(tmp_path / "kept"))
    first = figures("prose", tmp_path / "first.json", *keep)
    again = figures("prose", tmp_path / "again.json", *keep)
    dense = figures("prose", tmp_path / "dense.json", *keep, "--stages", "ranking=dense")
    assert [each["embedded"] for each in (first, again, dense)] == [13, 0, 0]
    assert again["intervals"] == first["intervals"]
    assert dense["stages"]["ranking"] == "dense"
