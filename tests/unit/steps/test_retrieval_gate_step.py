"""The gate's configuration is checked, and its questions are the user's own where there are some."""

from pathlib import Path

import pytest

from rag_llm_system.application.evaluation.gate_report import GateConfig
from rag_llm_system.application.evaluation.golden import GOLDEN_SET, GoldenQuestion, write_golden
from rag_llm_system.bootstrap import build
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.settings import Settings
from steps.feature_engineering import retrieval_gate
from steps.feature_engineering.retrieval_gate import gate_config, gate_questions, searches_of
from tests.unit.application.builders import cleaned

TEXT = "A tide table is a book that tells when the water of each harbour on this coast turns."


def settings(folder: Path) -> Settings:
    return Settings(DATA_DIR=folder, VECTOR_STORE="memory", EMBEDDER="hashing", TRACING="off")


def test_the_configuration_of_the_repository_is_read_and_names_every_way_of_searching(
    tmp_path: Path,
) -> None:
    config = gate_config()
    assert config.questions == 100
    with build(settings(tmp_path)) as system:
        assert config.floors.keys() <= searches_of(system)(system.vectors).keys()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("questions: none", "questions"),
        ("floor: 1", "floor"),
        ("floors: [", "while parsing"),
        ("floors: {vectors: {precision: 1}}", "unknown measure 'precision'"),
    ],
)
def test_a_wrong_configuration_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, wrong: str
) -> None:
    path = tmp_path / "retrieval_gate.yaml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(retrieval_gate, "CONFIG", path)
    with pytest.raises(ConfigurationError, match=f"retrieval_gate.yaml: .*{wrong}"):
        gate_config()


def test_questions_are_proposed_where_nobody_wrote_any(tmp_path: Path) -> None:
    with build(settings(tmp_path)) as system:
        system.indexer().load_cleaned([cleaned("http://a.example/1", TEXT)])
        questions, source = gate_questions(system, GateConfig())
    assert [one.link for one in questions] == ["http://a.example/1"] * len(questions)
    assert questions
    assert "poe make-golden-set" in source


def test_a_golden_set_is_asked_where_there_is_one(tmp_path: Path) -> None:
    mine = GoldenQuestion(question="When does the water turn?", link="http://a.example/1")
    write_golden(tmp_path / GOLDEN_SET, [mine])
    with build(settings(tmp_path)) as system:
        questions, source = gate_questions(system, GateConfig())
    assert (questions, source) == ([mine], str(tmp_path / GOLDEN_SET))
