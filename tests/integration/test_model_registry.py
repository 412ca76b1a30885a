"""Versions of a model from training to production and back, in a real ZenML store, by the users' commands.

What follows builds on what came before, as in a clone; each state is a fixture that needs the one before it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from rag_llm_system.model.registry import current_model, read_pointer
from rag_llm_system.settings import PROJECT_ROOT, Settings

TRAININGS = ("better", "fails", "same", "better", "better!")
"""Versions 1 to 5; see registry_trainings."""


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    exit_code: int
    out: str
    err: str

    @property
    def rows(self) -> dict[str, str]:
        """Of a list: the stage by the version, with its mark."""
        lines = [line.split("  ") for line in self.out.splitlines()[1:] if line[0].isdigit()]
        return {
            cells[0].strip(): next(c.strip() for c in cells[1:] if c.strip()) for cells in lines
        }

    @property
    def notes(self) -> list[str]:
        return [line for line in self.out.splitlines() if line.startswith("note: ")]


@dataclass(frozen=True)
class Clone:
    data_dir: Path

    @property
    def models(self) -> Path:
        return self.data_dir / "models"

    def python(self, *arguments: str) -> Ran:
        others = {
            name: value
            for name, value in os.environ.items()
            if name not in Settings.model_fields and not name.startswith(("ZENML_", "OPIK_"))
        }
        settings = {
            "DATA_DIR": str(self.data_dir),
            "DATABASE_HOST": "",
            "EMBEDDER": "hashing",
            "TRACING": "off",
            "VECTOR_STORE": "memory",
        }
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT_ROOT,
            env={**others, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def commands(self, *commands: str, force: str = "") -> list[Ran]:
        """``poe model-...`` one after another; ``force`` is the reason that the first is given."""
        arguments = [command.split() for command in commands]
        arguments[0] += ["--force", force] if force else []
        ran = self.python("-m", "tests.integration.registry_commands", json.dumps(arguments))
        assert ran.exit_code == 0, ran.err
        return [Ran(*one) for one in json.loads(ran.out.splitlines()[-1])]

    def serves(self) -> int:
        pointer = read_pointer(self.models)
        assert pointer is not None
        assert current_model(self.models).name == pointer.folder
        return pointer.version


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("a clone with späces") / "data")


@pytest.fixture(scope="module")
def trained(clone: Clone) -> Ran:
    return clone.python("-m", "tests.integration.registry_trainings", *TRAININGS)


@pytest.fixture(scope="module")
def asked(clone: Clone, trained: Ran) -> list[Ran]:
    """Questions and refusals, none of which changes what serves."""
    return clone.commands(
        "list",
        "promote 3",
        "promote 5",
        "promote 2",
        "promote 9",
        "promote 4",
        "rollback 3",
        "promote 3 --force=",
        "show 4",
    )


@pytest.fixture(scope="module")
def moved(clone: Clone, asked: list[Ran]) -> list[Ran]:
    return clone.commands(
        "promote 3",
        "list",
        "rollback",
        "rollback",
        "rollback",
        "rollback 3",
        "rollback 1",
        "list",
        "show 3",
        force="asked for by the editors",
    )


@pytest.fixture(scope="module")
def restored(clone: Clone, moved: list[Ran]) -> tuple[str, Ran]:
    """Version 1 serves; the folder of version 4, which was compared with it, is cleaned away."""
    _, _, fourth, _ = sorted(clone.models.glob("training-*"))  # the second failed before it had one
    shutil.rmtree(fourth)
    [promoted] = clone.commands("promote 4")
    return fourth.name, promoted


@pytest.fixture(scope="module")
def killed(clone: Clone, restored: tuple[str, Ran]) -> Ran:
    return clone.python("-m", "tests.integration.registry_commands", '[["die", "3"]]')


@pytest.fixture(scope="module")
def after_the_kill(clone: Clone, killed: Ran) -> tuple[int, list[Ran], int]:
    """What served, what a list and a refused promotion said, and what serves since."""
    before = clone.serves()
    return before, clone.commands("list", "promote 5", "list"), clone.serves()


@pytest.fixture(scope="module")
def evaluated_later(clone: Clone, after_the_kill: tuple[int, list[Ran], int]) -> list[Ran]:
    return clone.commands("promote 1", "evaluate 1 4", "promote 1")


def test_a_model_better_than_its_base_is_the_first_in_production(trained: Ran) -> None:
    assert "version 1 serves from now on" in trained.err
    assert "loss is better than base's: -0.500" in trained.err


def test_a_refused_model_is_a_result_and_says_why(trained: Ran) -> None:
    assert "version 3 is registered and not in production" in trained.err
    assert "loss is the same as production's: +0.000" in trained.err
    assert trained.out.count(": completed in") == 3


def test_a_refusal_fails_the_run_where_the_policy_says_so(trained: Ran) -> None:
    errors = [line for line in trained.err.splitlines() if line.startswith("error: ")]
    assert errors == [
        "error: the training failed",
        "error: model twin version 5 is registered and refused: grounded must be better and was not measured "
        '(no row has a context); if it is meant: poe model-promote -- 5 --force "why"',
    ]


def test_a_failed_training_and_a_refused_one_leave_the_model_that_serves(
    clone: Clone, asked: list[Ran]
) -> None:
    assert asked[0].rows == {
        "5": "none",
        "4 *": "production",
        "3": "none",
        "2": "unfinished",
        "1": "archived",
    }
    assert asked[0].notes == []


def test_the_list_shows_base_method_metrics_with_intervals_and_the_dataset(
    asked: list[Ran],
) -> None:
    head, _, fourth, *_ = asked[0].out.splitlines()
    assert head.split() == [
        "version", "stage", "base", "method", "made", "loss", "format", "grounded",
        "hallucinated_titles", "dataset",
    ]  # fmt: skip
    assert "1.500 [1.450, 1.550]" in fourth
    assert " lora " in fourth
    assert fourth.endswith("0123456789")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (1, "version 3 is refused: it was compared with version 1, and version 4 serves now; compare the two"),
        (2, "version 5 is refused: grounded must be better and was not measured"),
        (3, "model version 2 holds no model: its training did not end"),
        (4, "unknown model version 9; known: 1, 2, 3, 4, 5"),
        (6, "version 3 never was in production; let the gate decide with: poe model-promote -- 3"),
        (7, "--force needs a reason"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_one_line(asked: list[Ran], place: int, said: str) -> None:
    assert asked[place].exit_code == 2
    assert asked[place].err.startswith(f"error: {said}")
    assert asked[place].err.count("\n") == 1


def test_promoting_what_is_in_production_changes_nothing(asked: list[Ran]) -> None:
    assert asked[5].exit_code == 0
    assert "it is in production already" in asked[5].out


def test_a_forced_promotion_serves_and_keeps_the_reason(moved: list[Ran]) -> None:
    forced, listed, *_, shown = moved
    assert "version 3 is in production" in forced.out
    assert "forced: asked for by the editors" in forced.out
    assert listed.rows["3 *"] == "production"
    assert listed.rows["4"] == "archived"
    forced_first, again = json.loads(shown.out)["kept"]["promotions"]
    assert (forced_first["how"], forced_first["reason"]) == ("forced", "asked for by the editors")
    assert forced_first["before"] == again["before"] == [4, 1]
    assert (again["how"], again["reason"]) == ("rollback", "from version 1")


def test_a_rollback_goes_from_version_to_version_until_the_first(moved: list[Ran]) -> None:
    said = [ran.out.split(",")[0] for ran in moved[2:4]]
    assert said == ["from version 3 back to version 4", "from version 4 back to version 1"]
    assert moved[4].exit_code == 2
    assert moved[4].err == (
        "error: version 1 is the first in production; there is none to go back to\n"
    )


def test_a_rollback_to_a_named_version_may_go_forward_again(moved: list[Ran]) -> None:
    assert moved[5].out.startswith("from version 1 back to version 3, ")
    assert moved[6].out.startswith("from version 3 back to version 1, ")
    assert moved[7].rows["1 *"] == "production"


def test_a_version_keeps_what_it_was_made_of(asked: list[Ran]) -> None:
    found = json.loads(asked[8].out)
    kept = found["kept"]
    assert kept["dataset"] == {"documents": 3, "train": 30}
    assert kept["dataset_sha256"] == "0123456789abcdef"
    assert kept["config"] == {"base": "scratch", "seed": 42}
    assert kept["libraries"] == {"torch": "2.0"}
    assert kept["metrics"]["loss"] == {"mean": 1.5, "low": 1.45, "high": 1.55, "n": 40}
    assert kept["compared_with"] == 1
    linked = {"rows", "training_result", "finetuned_model", "evaluation"}
    assert {name: kept["lineage"]["artifacts"][name] for name in linked} == {
        name: found["artifacts"][name] for name in linked
    }
    assert kept["lineage"]["run"] == kept["folder"]


def test_a_folder_that_was_cleaned_away_is_restored_by_its_promotion(
    clone: Clone, restored: tuple[str, Ran]
) -> None:
    name, promoted = restored
    assert promoted.exit_code == 0, promoted.err
    weights = clone.models / name / "adapter" / "weights.bin"
    assert weights.read_text(encoding="utf-8") == name
    assert [f.name for f in clone.models.glob(".*") if f.is_dir()] == []


def test_a_kill_between_stage_and_pointer_leaves_the_former_model_serving(
    killed: Ran, after_the_kill: tuple[int, list[Ran], int]
) -> None:
    assert killed.exit_code == -signal.SIGKILL
    served, [listed, *_], _ = after_the_kill
    assert served == 4
    assert (listed.rows["3"], listed.rows["4 *"]) == ("production", "archived")
    assert listed.notes[0].startswith("note: version 3 is in production and servers load training-")


def test_the_next_command_mends_what_a_kill_left_even_when_it_refuses(
    after_the_kill: tuple[int, list[Ran], int],
) -> None:
    _, [_, refused, listed], serves = after_the_kill
    assert refused.exit_code == 2
    assert listed.rows["3 *"] == "production"
    assert listed.notes == []
    assert serves == 3


def test_a_later_evaluation_against_the_model_that_serves_opens_the_gate(
    evaluated_later: list[Ran],
) -> None:
    refused, _, promoted = evaluated_later
    assert "it was compared with its base alone, and version 3 serves now" in refused.err
    assert promoted.exit_code == 0, promoted.err
    assert "loss is better than production's" in promoted.out


def test_the_inference_server_names_the_versions_that_there_are(clone: Clone, trained: Ran) -> None:
    ran = clone.python("-m", "tools.inference_server", "--model", "9")
    assert (ran.exit_code, ran.err) == (
        2,
        "error: unknown model version 9; known: 1, 2, 3, 4, 5\n",
    )


def test_the_inference_server_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    ran = Clone(tmp_path).python("-m", "tools.inference_server", "--model", "elsewhere")
    assert ran.exit_code == 2
    assert ran.err == "error: elsewhere: no such folder; poe model-list shows the versions\n"


def test_without_a_training_there_is_nothing_to_promote(tmp_path: Path) -> None:
    listed, promoted, rolled_back = Clone(tmp_path).commands("list", "promote 1", "rollback")
    assert listed.out == "no model versions yet; make one with: poe run-training\n"
    assert promoted.err == "error: no model versions yet; make one with: poe run-training\n"
    assert rolled_back.err.startswith("error: no model version is in production")
