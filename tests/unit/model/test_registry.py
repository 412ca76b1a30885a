"""The pointer to the model that serves is moved whole, or not at all."""

from pathlib import Path

import pytest

from rag_llm_system.domain.errors import ConfigurationError, DataError, MissingFile
from rag_llm_system.model.registry import Pointer, current_model, promote, read_pointer


def trained(models: Path, name: str) -> Path:
    folder = models / name
    folder.mkdir(parents=True)
    return folder


def test_the_promoted_folder_is_the_current_one(tmp_path: Path) -> None:
    first, second = trained(tmp_path, "first"), trained(tmp_path, "second")
    promote(tmp_path, first, version=1)
    promote(tmp_path, second, version=2)
    assert current_model(tmp_path) == second
    assert read_pointer(tmp_path) == Pointer(folder="second", version=2)


def test_a_pointer_of_an_earlier_release_is_read(tmp_path: Path) -> None:
    folder = trained(tmp_path, "old")
    (tmp_path / "current.json").write_text('{"folder": "old"}', encoding="utf-8")
    assert current_model(tmp_path) == folder


def test_before_a_model_is_let_through_the_way_to_one_is_named(tmp_path: Path) -> None:
    assert read_pointer(tmp_path) is None
    with pytest.raises(MissingFile, match="poe run-training"):
        current_model(tmp_path)


def test_a_removed_folder_is_named_with_the_command_that_restores_it(tmp_path: Path) -> None:
    folder = trained(tmp_path, "gone")
    promote(tmp_path, folder, version=7)
    folder.rmdir()
    with pytest.raises(MissingFile, match=r"gone was removed; .* poe model-promote -- 7$"):
        current_model(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', '{"folder": 3}'])
def test_a_damaged_pointer_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "current.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"current\.json is damaged"):
        current_model(tmp_path)


def test_a_pointer_that_cannot_be_written_leaves_the_former_model(tmp_path: Path) -> None:
    first, second = trained(tmp_path, "first"), trained(tmp_path, "second")
    promote(tmp_path, first)
    (tmp_path / "current.json.part").mkdir()  # in the way of the new one
    with pytest.raises(ConfigurationError, match="cannot be written"):
        promote(tmp_path, second)
    assert current_model(tmp_path) == first
