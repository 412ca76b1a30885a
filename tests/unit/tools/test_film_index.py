"""What the command is given becomes parameters of the pipeline, or one clear line."""

from pathlib import Path

import pytest

from pipelines.movies_index import Config
from rag_llm_system.application.movies.record_mapping import FilmMapping, read_mapping
from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from rag_llm_system.settings import PROJECT_ROOT
from tools.film_index import CONFIG, film_overrides, index_films
from tools.run_config import load_run_config

TABLE = PROJECT_ROOT / "configs" / "film_records" / "table.yaml"


def configured(file: Path | None = None, mapping: Path | None = None, source: str = "") -> Config:
    return load_run_config(CONFIG, film_overrides(file, mapping, source), Config)[0]


def test_without_anything_the_films_of_the_examples_are_indexed() -> None:
    config = configured()
    assert (config.source, config.mapping, config.gate) == ("Films", FilmMapping(), True)
    assert (PROJECT_ROOT / config.file).is_file()


def test_what_is_given_takes_the_place_of_what_the_config_has(tmp_path: Path) -> None:
    file = tmp_path / "it's: mine #1.csv"
    file.touch()
    config = configured(file, TABLE, " 1984 ")
    assert (config.file, config.source) == (str(file), "1984")
    assert config.mapping == read_mapping(TABLE)
    assert config.mapping.link_prefix == ""


def test_the_gate_can_be_told_to_let_the_index_pass() -> None:
    overrides = film_overrides(None, None, "", gate=False)
    assert load_run_config(CONFIG, overrides, Config)[0].gate is False


def test_what_cannot_be_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"film records .*none\.csv: no such file"):
        index_films(tmp_path / "none.csv")
    with pytest.raises(MissingFile, match=r"film mapping .*none\.yaml"):
        index_films(mapping=tmp_path / "none.yaml")
    with pytest.raises(ConfigurationError, match="the source of the films has no name"):
        index_films(source=" ")
