"""Settings are typed, refuse what they do not know, and never show a secret."""

from pathlib import Path

import pytest

from rag_llm_system import settings as module
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.settings import Settings, load_settings, zenml_environment


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


def test_nothing_set_means_the_embedded_engines() -> None:
    settings = load_settings()
    assert settings.DATABASE_HOST.get_secret_value() == ""
    assert settings.QDRANT_DATABASE_HOST == ""
    assert settings.LLM_BACKEND == "extractive"


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("DATABASE_NAME=from_file\nRAG_API_PORT=9000\n", encoding="utf-8")
    monkeypatch.setenv("DATABASE_NAME", "from_environment")
    settings = load_settings()
    assert (settings.DATABASE_NAME, settings.RAG_API_PORT) == ("from_environment", 9000)


def test_a_wrong_value_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_API_PORT", "s3cret")
    with pytest.raises(ConfigurationError, match="RAG_API_PORT") as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_HOTS=mongodb://x\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="DATABASE_HOTS"):
        load_settings()


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("DATABASE_HOST", "mongodb://u:canary@h")
    assert "canary" not in repr(load_settings())


def test_a_relative_data_folder_lies_in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", ".rag")
    assert load_settings().data_dir == module.PROJECT_ROOT / ".rag"


@pytest.mark.parametrize("chosen", ["ZENML_CONFIG_PATH", "ZENML_STORE_URL"])
def test_a_zenml_store_of_your_own_is_left_alone(chosen: str, tmp_path: Path) -> None:
    assert zenml_environment(tmp_path, {chosen: "somewhere"}) == {}


def test_otherwise_zenml_keeps_its_runs_in_the_data_folder(tmp_path: Path) -> None:
    ours = zenml_environment(tmp_path, {})
    assert ours["ZENML_CONFIG_PATH"] == str(tmp_path / "zenml")
    assert ours["ZENML_STORE_URL"].startswith(f"sqlite:///{tmp_path}")
