"""The command that asks one's own index the questions of a golden set."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.faiss_adapter import FAISSAdapter
from tests.unit.application.builders import cleaned
from tools.evaluate_golden_set import main

TEXTS = {
    "bread": "Bread needs flour, water and salt.",
    "llamas": "Llamas eat grass on hills.",
    "rivers": "Rivers carry water to the sea.",
    "trains": "Trains leave the station at noon.",
    "stars": "Stars are seen at night.",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    environment = {
        "DATA_DIR": str(tmp_path), "VECTOR_STORE": "faiss", "EMBEDDER": "hashing", "TRACING": "off",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    store = FAISSAdapter(path=tmp_path / "faiss")
    indexer = Indexer(store, HashingEmbedder())
    documents = [cleaned(f"http://a.example/{name}", text) for name, text in TEXTS.items()]
    indexer.load_cleaned(documents)
    indexer.load_chunks(indexer.embed_changed(documents))
    store.close()
    return tmp_path


def ask(folder: Path, *questions: tuple[str, str]) -> Result:
    rows = [{"question": text, "link": f"http://a.example/{name}"} for text, name in questions]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    (folder / "golden_set.jsonl").write_text(lines, encoding="utf-8")
    return CliRunner().invoke(main, ["--output", str(folder / "ranks.jsonl")])


def test_a_question_that_is_not_answered_is_named(folder: Path) -> None:
    result = ask(
        folder, ("llamas and grass", "llamas"), ("bread, llamas, rivers and trains", "stars")
    )
    assert result.exit_code == 0, result.output
    assert "2 questions, 0 whose link is not indexed" in result.output
    assert "bread, llamas, rivers and trains -> http://a.example/stars" in result.output
    assert "llamas and grass ->" not in result.output
    rows = [json.loads(line) for line in (folder / "ranks.jsonl").read_text().splitlines()]
    assert rows[0] == {
        "question": "llamas and grass", "link": "http://a.example/llamas", "rank": 1,
    }  # fmt: skip


def test_a_link_that_is_not_indexed_is_counted(folder: Path) -> None:
    result = ask(folder, ("llamas and grass", "llamas"), ("snow", "snow"))
    assert "1 questions, 1 whose link is not indexed" in result.output


def test_links_of_which_none_is_indexed_are_refused(folder: Path) -> None:
    result = ask(folder, ("snow", "snow"))
    assert result.exit_code == 2
    assert "none of the links is indexed" in result.output


def test_without_questions_it_says_how_to_get_some(folder: Path) -> None:
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2
    assert "poe make-golden-set" in result.output
