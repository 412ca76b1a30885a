"""The command that migrates refuses in one line what cannot be; what it copies is in the integration tests."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.migrate_vector_store import main


def refused(*arguments: str) -> str:
    ran = CliRunner().invoke(main, arguments)
    assert ran.exit_code == 2, ran.output
    return ran.stderr.strip().removeprefix("error: ")


def test_a_store_is_not_migrated_to_itself() -> None:
    assert refused("--from", "memory", "--to", "memory").startswith(
        "source and target are both 'memory'"
    )


def test_the_same_folder_in_other_words_is_the_same_store(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    one, same = str(tmp_path), str(tmp_path / "a" / "..")
    said = refused("--from", "qdrant", "--from-path", one, "--to", "qdrant", "--to-path", same)
    assert "--to-path" in said


def test_an_unknown_store_is_named_with_those_that_there_are() -> None:
    said = refused("--from", "memory", "--to", "milvus")
    assert said.startswith("unknown vector store 'milvus'; known: ")
    assert "qdrant-edge" in said


def test_a_store_that_holds_nothing_is_nothing_to_migrate(tmp_path: Path) -> None:
    said = refused("--from", "memory", "--to", "qdrant", "--to-path", str(tmp_path))
    assert said.startswith("nothing to migrate")
    assert list(tmp_path.iterdir()) == []


def test_a_source_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    absent = str(tmp_path / "absent")
    assert absent in refused("--from", "qdrant", "--from-path", absent, "--to", "memory")


@pytest.mark.parametrize("missing", ["--from", "--to"])
def test_both_stores_have_to_be_named(missing: str) -> None:
    given = ({"--from", "--to"} - {missing}).pop()
    assert missing in refused(given, "memory")
