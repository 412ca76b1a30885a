"""The commit of a folder is read where there is one, and nothing else happens."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rag_llm_system.infrastructure.fetchers.git_command import Git
from rag_llm_system.infrastructure.git_commit import head_commit

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> str:
    """Run git as nobody in particular."""
    who = {
        f"GIT_{role}_{fact}": "a@b.example"
        for role in ("AUTHOR", "COMMITTER")
        for fact in ("NAME", "EMAIL")
    }
    ran = subprocess.run(
        ["git", "-C", folder, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull},
    )
    return ran.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "repository" / "src").mkdir(parents=True)
    git(tmp_path / "repository", "init", "-q")
    git(tmp_path / "repository", "commit", "-q", "--allow-empty", "-m", "One")
    return tmp_path / "repository"


def test_a_repository_and_its_folders_have_a_commit(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    assert len(commit) == 40
    assert head_commit(repository) == head_commit(repository / "src") == commit


def test_a_worktree_has_its_own_commit(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "other"))
    git(tmp_path / "other", "commit", "-q", "--allow-empty", "-m", "Two")
    assert head_commit(tmp_path / "other") == git(tmp_path / "other", "rev-parse", "HEAD")
    assert head_commit(tmp_path / "other") != head_commit(repository)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_repository_of_somebody_else_is_read(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    for path in (repository, repository / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "rev-parse", "HEAD")
    assert head_commit(repository) == commit


@pytest.mark.parametrize("what", ["no repository", "no commit yet", "broken", "no such folder"])
def test_there_is_none_without_a_repository_that_has_one(tmp_path: Path, what: str) -> None:
    if what == "no commit yet":
        git(tmp_path, "init", "-q")
    if what == "broken":
        (tmp_path / ".git").write_text("gitdir: nowhere\n", encoding="utf-8")
    assert head_commit(tmp_path / "gone" if what == "no such folder" else tmp_path) == ""


def test_there_is_none_without_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert not Git(timeout_s=1).installed
    assert head_commit(repository) == ""
