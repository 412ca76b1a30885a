"""Repositories are read at one commit, byte by byte, and everything left out is counted."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag_llm_system.domain.documents import Source
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.git import GitRepositoryReader
from rag_llm_system.infrastructure.fetchers.text_files import RepositoryLimits

TEXTS = {
    ".github/workflow.yml": b"on: push\n",
    "README.md": b"# Code\r\n\r\n  trailing \n",
    "latin.txt": b"\xe9t\xe9\n",
    "src/a b.py": b"def f(x):\n\n\treturn x",
    "src/ü.py": b"\xef\xbb\xbfx = 1\n",
}
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 3\n"
GONE = "1" * 40


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Nobody", "-c", "user.email=nobody@code.example")
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    ).stdout.strip()


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    write(folder, TEXTS | {"logo.png": b"\x89PNG\x00", "model.bin": LFS, "big.txt": b"a" * 600_000})
    (folder / "passwords").symlink_to("/etc/passwd")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{GONE},library")
    git(folder, "commit", "-q", "-m", "first")
    return folder


@pytest.fixture
def reader() -> GitRepositoryReader:
    return GitRepositoryReader(allow_local=True)


def contents(reader: GitRepositoryReader, location: object) -> dict[str, bytes]:
    return {file.path: file.content for file in reader.read(str(location)).files}


def test_the_text_files_of_the_commit_are_read_as_they_are(
    repository: Path, reader: GitRepositoryReader
) -> None:
    snapshot = reader.read(str(repository))
    assert {file.path: file.content for file in snapshot.files} == TEXTS
    assert [file.path for file in snapshot.files] == sorted(TEXTS, key=str.encode)
    assert snapshot.commit == reader.head(str(repository)) == git(repository, "rev-parse", "HEAD")
    assert snapshot.left_out == {
        "LFS pointer": 1,
        "binary": 1,
        "submodule": 1,
        "symlink": 1,
        "too large": 1,
    }


def test_what_is_not_committed_is_not_read(repository: Path, reader: GitRepositoryReader) -> None:
    write(repository, {"README.md": b"edited", "new.py": b"x"})
    assert contents(reader, repository) == TEXTS


def test_a_bare_repository_and_a_link_relative_to_the_base_are_read(repository: Path) -> None:
    git(repository.parent, "clone", "-q", "--bare", "code", "bare copy.git")
    reader = GitRepositoryReader(allow_local=True, base=repository.parent)
    assert contents(reader, "git+file:bare%20copy.git") == TEXTS
    assert contents(reader, f"git+file://{repository}") == TEXTS


def test_the_settings_of_a_repository_run_nothing(
    repository: Path, reader: GitRepositoryReader
) -> None:
    trap = repository.parent / "trap"
    for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "remote.origin.uploadpack"):
        git(repository, "config", name, f"touch {trap};")
    git(repository, "config", "remote.origin.url", str(repository))
    git(repository, "config", "remote.origin.promisor", "true")
    assert contents(reader, repository) == TEXTS
    assert not trap.exists()


def test_a_file_name_that_is_not_utf_8_is_left_out(
    tmp_path: Path, reader: GitRepositoryReader
) -> None:
    git(tmp_path, "init", "-q")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9.py")).write_bytes(b"x")
    write(tmp_path, {"a.py": b"x"})
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    snapshot = reader.read(str(tmp_path))
    assert [file.path for file in snapshot.files] == ["a.py"]
    assert snapshot.left_out == {"file name not UTF-8": 1}


def test_more_than_one_batch_of_contents_is_read(
    tmp_path: Path, reader: GitRepositoryReader
) -> None:
    files = {f"{number:02}.txt": bytes([97 + number]) * 500_000 for number in range(20)}
    write(tmp_path, files)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    assert contents(reader, tmp_path) == files


def test_a_damaged_repository_is_an_error_in_one_line(
    repository: Path, reader: GitRepositoryReader
) -> None:
    oid = git(repository, "rev-parse", "HEAD^{tree}")
    (repository / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(CrawlError) as raised:
        reader.read(str(repository))
    assert raised.value.reason.startswith("git: ")
    assert "\n" not in raised.value.reason


def test_beyond_the_limits_files_are_counted(repository: Path) -> None:
    def left_out(**limits: int) -> int:
        limited = RepositoryLimits(**limits)
        reader = GitRepositoryReader(allow_local=True, limits=limited)
        snapshot = reader.read(str(repository))
        assert len(snapshot.files) + sum(snapshot.left_out.values()) == len(TEXTS) + 5
        return snapshot.left_out["over the total limit"]

    assert left_out(max_files=2) == 5
    assert left_out(max_total_bytes=40) == 2


def test_a_folder_that_is_no_repository_is_walked(
    tmp_path: Path, reader: GitRepositoryReader
) -> None:
    kept = {"README.md": b"hi\n", "src/a b.py": b"x\n"}
    skipped = {
        ".env": b"KEY=1",
        ".venv/x.py": b"x",
        "node_modules/x.js": b"x",
        "a/build/x.py": b"x",
    }
    write(tmp_path, kept | skipped | {"logo.png": b"\x00"})
    (tmp_path / "outside").symlink_to("/etc")
    (tmp_path / "src" / "passwords").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    snapshot = reader.read(str(tmp_path))
    assert {file.path: file.content for file in snapshot.files} == kept
    assert snapshot.commit == reader.head(str(tmp_path)) == ""
    assert snapshot.left_out == {
        "binary": 1,
        "hidden or generated": 4,
        "not a regular file": 1,
        "symlink": 2,
    }


def test_without_git_a_repository_is_walked_and_a_remote_is_refused(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository))
    reader = GitRepositoryReader(allow_local=True)
    assert reader.head(str(repository)) == ""
    assert "README.md" in contents(reader, repository)
    with pytest.raises(CrawlError, match="install it to read this repository"):
        reader.read("https://git.example/code.git")


def test_a_subfolder_of_a_repository_is_only_a_folder(
    repository: Path, reader: GitRepositoryReader
) -> None:
    snapshot = reader.read(str(repository / "src"))
    assert (snapshot.commit, [file.path for file in snapshot.files]) == ("", ["a b.py", "ü.py"])


def test_a_repository_without_commit_is_refused(
    tmp_path: Path, reader: GitRepositoryReader
) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(CrawlError, match="the repository has no commit"):
        reader.read(str(tmp_path))


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("git+file:absent", "no such folder"),
        ("http://git.example/code", "not a repository location; use https://<host>"),
        ("ext::sh -c true", "not a repository location"),
        ("ssh://-oProxyCommand=true/x", "not a repository location"),
        ("git@git.example:team/code", "not a repository location"),
        ("https:///code", "not a repository location"),
        ("https://git.example:x/code", "malformed link"),
        ("https://127.0.0.1/code.git", "is the private address 127.0.0.1"),
        ("https://[::ffff:127.0.0.1]/code.git", "is the private address"),
        ("https://user:hunter2@git.example/code", "user name or password"),
        ("https://user:hunt/hunter2@git.example/code", "malformed link"),
    ],
)
def test_other_locations_are_refused_without_showing_a_password(
    reader: GitRepositoryReader, location: str, reason: str
) -> None:
    for ask in (reader.head, reader.read):
        with pytest.raises(CrawlError) as raised:
            ask(location)
        assert reason in raised.value.reason
        assert "hunter2" not in str(raised.value)


def test_local_repositories_are_read_only_when_allowed(repository: Path) -> None:
    for location in (str(repository), f"git+file:{repository}"):
        with pytest.raises(CrawlError, match="local repositories are not allowed"):
            GitRepositoryReader().read(location)


def test_a_repository_at_the_known_commit_is_not_read_again(
    repository: Path, reader: GitRepositoryReader
) -> None:
    def known(commit: str) -> Source:
        return Source(link="git+file:code", fetched_at=datetime.now(UTC), commit=commit)

    head = git(repository, "rev-parse", "HEAD")
    assert reader.read_if_changed(str(repository), known(head)) is None
    for other in ("", GONE):
        snapshot = reader.read_if_changed(str(repository), known(other))
        assert snapshot is not None
        assert snapshot.commit == head


def test_a_tree_that_unfolds_into_millions_of_names_is_cut_off(
    tmp_path: Path, reader: GitRepositoryReader
) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, {"a": b"x"})
    git(tmp_path, "add", "-A")
    mode, oid = "100644 blob", git(tmp_path, "hash-object", "a")
    for _ in range(7):  # 10 trees in each of 10 trees ...: 10 million names
        listing = "".join(f"{mode} {oid}\t{name}\n" for name in "abcdefghij")
        (tmp_path / "listing").write_text(listing)
        with (tmp_path / "listing").open() as given:
            made = subprocess.run(
                ["git", "-C", str(tmp_path), "mktree"], stdin=given, check=True, capture_output=True
            )
        mode, oid = "040000 tree", made.stdout.decode().strip()
    commit = git(tmp_path, "commit-tree", oid, "-m", "bomb")
    git(tmp_path, "update-ref", "HEAD", commit)
    with pytest.raises(CrawlError, match="larger than 50,000,000 bytes") as raised:
        reader.read(str(tmp_path))
    assert raised.value.kind == "too large"


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("git version 2.34.1", "needs git 2.37 or newer, not 2.34; upgrade git"),
        ("git of another kind", "needs git 2.37 or newer, not 0; upgrade git"),
    ],
)
def test_a_git_that_would_look_the_host_up_again_stays_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, reason: str
) -> None:
    program = tmp_path / "git"
    program.write_text(
        f"#!/bin/sh\necho '{says}'\ntest \"$1\" = version || touch '{tmp_path}/asked'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    reader = GitRepositoryReader(rules=AddressRules(connect_to={"git.example": "192.0.2.1"}))
    for ask in (reader.head, reader.read):
        with pytest.raises(CrawlError) as raised:
            ask("https://git.example/code")
        assert raised.value.reason == reason
    assert not (tmp_path / "asked").exists()


def test_a_host_that_is_sent_to_another_port_is_refused() -> None:
    reader = GitRepositoryReader(rules=AddressRules(connect_to={"git.example": "192.0.2.1:8443"}))
    with pytest.raises(CrawlError, match="git cannot connect to another port than 443"):
        reader.head("https://git.example/code")
