"""Trainings killed with SIGKILL at any moment: the next one goes on, with the losses and weights of a whole run."""

import multiprocessing
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from rag_llm_system.model.finetuning.config import TrainingResult
from tests.integration import killed_training_worker
from tests.integration.small_trainings import DPO, SCRATCH, SETTINGS

KILLS = int(os.environ.get("TEST_KILLS", "3"))  # the closing measurements use more
PER_CHAIN = 3
PATIENCE_S = 200  # a machine may be busy with other things
LATER_S = 0.15  # at most so long after a step was told: inside the next one, or inside a checkpoint
POINTS = [
    (phase, step)
    for phase, steps in (
        ("base", SCRATCH["max_steps"]),
        ("sft", SETTINGS["max_steps"]),
        ("dpo", DPO["max_steps"]),
    )
    for step in range(1, steps + 1)
]


@contextmanager
def training(method: str, folder: Path) -> Iterator[tuple[Connection, multiprocessing.Process]]:
    """A run into ``folder/model``, forked off a process that has the libraries in memory."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([killed_training_worker.__name__])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=killed_training_worker.train,
        args=(method, folder / "data", folder / "model", theirs),
    )
    process.start()
    theirs.close()
    try:
        yield ours, process
    finally:
        process.kill()
        process.join(PATIENCE_S)


def result_of(connection: Connection) -> TrainingResult:
    while True:
        assert connection.poll(PATIENCE_S), "the training says nothing"
        told = connection.recv()
        if isinstance(told, str):
            return TrainingResult.model_validate_json(told)


def complete(method: str, folder: Path) -> TrainingResult:
    with training(method, folder) as (connection, _):
        return result_of(connection)


def kill_after(method: str, folder: Path, point: tuple[str, int], seconds: float) -> None:
    with training(method, folder) as (connection, process):
        while connection.poll(PATIENCE_S) and connection.recv() != point:
            continue
        process.join(seconds)


def weights(folder: Path) -> dict[str, bytes]:
    root = folder / "model"
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*.safetensors")}


def expect_the_same(found: TrainingResult, wanted: TrainingResult) -> None:
    for killed, whole in zip(found.phases, wanted.phases, strict=True):
        assert killed.losses == whole.losses
        assert killed.test_losses == whole.test_losses
        assert (killed.steps, killed.tokens) == (whole.steps, whole.tokens)


@pytest.fixture(scope="module")
def never_killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingResult, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return complete("lora", folder), folder


@pytest.mark.parametrize("chain", range(-(-KILLS // PER_CHAIN)))
def test_runs_killed_at_any_moment_give_the_losses_and_weights_of_one_that_was_not(
    chain: int, never_killed: tuple[TrainingResult, Path], tmp_path: Path
) -> None:
    chosen = random.Random(chain)  # noqa: S311 - a fixed choice
    kills = min(PER_CHAIN, KILLS - chain * PER_CHAIN)
    for point in sorted(chosen.sample(range(len(POINTS)), kills)):
        kill_after("lora", tmp_path, POINTS[point], chosen.uniform(0, LATER_S))
        assert not (tmp_path / "model").exists()

    found = complete("lora", tmp_path)

    wanted, folder = never_killed
    expect_the_same(found, wanted)
    assert weights(tmp_path) == weights(folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "model"]


def test_a_model_that_was_there_stays_until_the_new_one_is_complete(
    never_killed: tuple[TrainingResult, Path], tmp_path: Path
) -> None:
    shutil.copytree(never_killed[1], tmp_path, dirs_exist_ok=True)
    before = weights(tmp_path)

    kill_after("lora", tmp_path, ("dpo", 2), 0)

    assert weights(tmp_path) == before
    assert (tmp_path / "model" / "training.json").is_file()
