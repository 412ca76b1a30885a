"""What is recorded of a model version: the commit of the code, and an evaluation without its texts."""

import shutil
import subprocess
from pathlib import Path

import pytest

from rag_llm_system.application.evaluation.answers.report import (
    EvaluationReport,
    ModelScores,
    Sample,
    Score,
)
from steps.registry_facts import ModelFacts, code_version

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    command = ["git", *identity, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@needs_git
def test_the_commit_is_recorded_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert code_version(tmp_path) == {}  # nothing is committed yet
    file = tmp_path / "code.py"
    file.write_text("1\n", encoding="utf-8")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert code_version(tmp_path) == {"commit": commit, "dirty": False}
    file.write_text("2\n", encoding="utf-8")
    assert code_version(tmp_path) == {"commit": commit, "dirty": True}


def test_code_that_is_in_no_repository_has_no_commit(tmp_path: Path) -> None:
    assert code_version(tmp_path) == {}


@needs_git
def test_the_commit_of_a_repository_around_the_code_is_not_taken_for_its_own(
    tmp_path: Path,
) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "another's")
    (tmp_path / "site-packages").mkdir()
    assert code_version(tmp_path / "site-packages") == {}


def test_metadata_has_the_scores_of_the_model_and_no_text_of_a_sample() -> None:
    score = Score(mean=0.5, low=0.4, high=0.6, n=9)
    report = EvaluationReport(
        rows=9,
        seed=7,
        models=(
            ModelScores(name="base", metrics={"format": score.model_copy(update={"mean": 0.1})}),
            ModelScores(name="fine-tuned", metrics={"format": score}),
        ),
        comparisons=(),
        samples=(Sample(question="SECRET?", reference="SECRET", answers={}),),
        not_measured={},
    )
    kept = ModelFacts(folder="run", evaluation=report).as_metadata()
    assert kept["metrics"] == {"format": score.model_dump()}
    assert "SECRET" not in str(kept)


def test_a_version_that_was_not_evaluated_has_no_metrics() -> None:
    kept = ModelFacts(folder="run").as_metadata()
    assert not {"metrics", "evaluation"} & kept.keys()
