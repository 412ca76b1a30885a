"""Steps share one system, and the scratch files of a run go with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag_llm_system.bootstrap import System, build
from rag_llm_system.settings import Settings
from steps.session import current_system, scratch_folder, session


@pytest.fixture
def system(tmp_path: Path) -> System:
    return build(Settings(DATA_DIR=tmp_path))


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


def test_steps_of_a_run_share_its_system(system: System) -> None:
    with session(system) as opened:
        assert opened is system
        assert current_system() is system
        assert current_system() is system


def test_a_run_within_a_run_gives_the_outer_one_back(system: System, tmp_path: Path) -> None:
    inner = build(Settings(DATA_DIR=tmp_path / "inner"))
    with session(system):
        with session(inner):
            assert current_system() is inner
        assert current_system() is system


def test_scratch_folders_are_new_each_time_and_end_with_the_run(
    system: System, tmp_path: Path
) -> None:
    with session(system):
        one, two = scratch_folder(), scratch_folder()
        assert one != two
        assert one.is_dir()
        assert one.is_relative_to(tmp_path)
        (one / "records.parquet").touch()
    assert not one.exists()
    assert not two.exists()


def test_scratch_folders_end_with_a_failed_run_too(system: System) -> None:
    folders: list[Path] = []

    def fail() -> None:
        folders.append(scratch_folder())
        raise RuntimeError

    with pytest.raises(RuntimeError), session(system):
        fail()
    assert [folder.exists() for folder in folders] == [False]


def test_what_a_dead_process_left_goes_and_what_a_living_one_uses_stays(
    system: System, tmp_path: Path, dead: int
) -> None:
    of_the_dead = tmp_path / "tmp" / f"{dead}-abc"
    of_the_living = tmp_path / "tmp" / f"{os.getppid()}-abc"
    for folder in (of_the_dead, of_the_living):
        folder.mkdir(parents=True)
        (folder / "records.parquet").touch()
    with session(system):
        pass
    assert not of_the_dead.exists()
    assert (of_the_living / "records.parquet").exists()


def test_a_run_that_wrote_nothing_makes_no_folder(system: System, tmp_path: Path) -> None:
    with session(system):
        pass
    assert list(tmp_path.iterdir()) == []
