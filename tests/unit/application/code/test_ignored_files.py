"""What Git ignores is left out, exactly that, and also where there is no repository."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from rag_llm_system.application.code.ignored import rules_around
from rag_llm_system.application.code.miner import CodeMiner
from tests.unit.application.code.trees import PYTHON, paths, tree

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

LOGS = ["a.log", "keep.log", "src/b.log", "src/deep/c.log"]
DEEP = ["src/deep/c.log", "src/deep/c.py"]
FILES = [*LOGS, "a.py", "src/b.py", "src/deep/c.py"]

IGNORED: dict[str, tuple[dict[str, str], list[str]]] = {
    "a name anywhere": ({".gitignore": "*.log\n"}, LOGS),
    "a path from its folder": ({".gitignore": "/src/*.log\n"}, ["src/b.log"]),
    "any folder between": ({".gitignore": "src/**/c.*\n"}, DEEP),
    "a folder": ({".gitignore": "deep/\n"}, DEEP),
    "a later line that takes back": (
        {".gitignore": "*.log\n!keep.log\n"},
        ["a.log", "src/b.log", "src/deep/c.log"],
    ),
    "a deeper file that takes back": (
        {".gitignore": "*.log\n", "src/.gitignore": "!b.log\n"},
        ["a.log", "keep.log", "src/deep/c.log"],
    ),
    "a folder that is taken back, not what is in it": (
        {".gitignore": "*.py\n", "src/.gitignore": "!deep/\n"},
        ["a.py", "src/b.py", "src/deep/c.py"],
    ),
    "nothing below an ignored folder is taken back": (
        {".gitignore": "src/\n", "src/.gitignore": "!b.py\n"},
        ["src/b.log", "src/b.py", *DEEP],
    ),
    "all but some of a folder": (
        {".gitignore": "src/**\n!src/deep\n!src/deep/c.py\n"},
        ["src/b.log", "src/b.py", "src/deep/c.log"],
    ),
    "lines of Windows and a comment": ({".gitignore": "# logs\r\n*.log\r\n\r\n"}, LOGS),
    "the repository's own list": (
        {".git/info/exclude": "a.*\n", ".gitignore": "!a.py\n"},
        ["a.log"],
    ),
    "a list of ours": ({".ragignore": "deep/\n"}, DEEP),
}


def mined(root: Path, prefix: str = "") -> set[str]:
    """Everything but the ignore files; the names of the files' kinds do not matter here."""
    return {prefix + path for path in paths(CodeMiner(root, extensions=[".py", ".log"]))}


@pytest.mark.parametrize("what", IGNORED)
def test_what_is_ignored(tmp_path: Path, what: str) -> None:
    rules, ignored = IGNORED[what]
    tree(tmp_path, {**dict.fromkeys(FILES, PYTHON), **rules})
    assert sorted(set(FILES) - mined(tmp_path)) == ignored


def test_a_part_of_a_repository_is_ignored_as_the_repository_says(tmp_path: Path) -> None:
    rules = {
        ".git/info/exclude": "*.tmp\n",
        ".gitignore": "/src/b.log\n",
        "src/.gitignore": "/deep\n",
    }
    tree(tmp_path, {**dict.fromkeys(FILES, PYTHON), **rules})
    assert mined(tmp_path / "src") == {"b.py"}
    assert mined(tmp_path / "src" / "deep") == {"c.log", "c.py"}


def test_a_folder_that_its_repository_ignores_as_a_whole_is_read_as_if_it_were_alone(
    tmp_path: Path,
) -> None:
    tree(tmp_path, {".git/HEAD": "", ".gitignore": "env/\n*.log\n"})
    tree(tmp_path / "env" / "lib", {"a.py": PYTHON, "a.log": "x\n"})
    assert mined(tmp_path / "env" / "lib") == {"a.log", "a.py"}


def test_a_worktree_has_the_list_of_its_repository(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {"main/.git/info/exclude": "*.log\n", "main/.git/worktrees/w/commondir": "../..\n"},
    )
    pointer = f"gitdir: {tmp_path}/main/.git/worktrees/w\n"
    tree(tmp_path / "work", {".git": pointer, "a.log": "x\n", "a.py": PYTHON})
    assert mined(tmp_path / "work") == {"a.py"}


def test_an_ignore_file_that_is_a_link_or_no_file_says_nothing(tmp_path: Path) -> None:
    tree(tmp_path, {"rules": "*.log\n", "a.log": "x\n", "sub/.gitignore/x": "", "sub/b.log": "x\n"})
    (tmp_path / ".gitignore").symlink_to("rules")
    assert mined(tmp_path) == {"a.log", "sub/b.log"}


PARTS = [
    "a", "b", "foo", "foo.py", "*.py", "*.log", "*", "**", "?", "[ab]", "[!a]", "[a-f]*", "[[:alpha:]]",
    "[]x]*", "[^b]", "f*o", "a\\ b", "\\#c", "\\!n", "é", "??", "\\[x\\]", "[a-", "[[:foo:]]", "**a", "foo**",
    "b*r*", "[-a]", "[a-]", "[\\]x]", "foo\\", "***", "[[:upper:]][[:digit:]]", "f**o",
]  # fmt: skip
NAMES = ["a", "b", "foo", "foo.py", "bar.log", "[x]", "a b", "é", "-", "x]", "A1", "#c", "!n"]


def _pattern(rng: random.Random) -> str:
    glob = "/".join(rng.choice(PARTS) for _ in range(rng.choice([1, 1, 1, 2, 2, 3])))
    before, after = rng.choice(["", "", "", "!", "/", "!/"]), rng.choice(["", "", "/", "  ", "\r"])
    return f"{before}{glob}{after}"


def _grown(root: Path, rng: random.Random) -> list[str]:
    """A tree of files and folders with ignore files; the paths, folders ending in a slash."""
    folders, entries = [""], []
    for _ in range(25):
        path = f"{rng.choice(folders)}{rng.choice(NAMES)}"
        if (root / path).exists():
            continue
        if rng.random() < 0.5 and path.count("/") < 3:
            (root / path).mkdir()
            folders.append(f"{path}/")
            entries.append(f"{path}/")
        else:
            (root / path).touch()
            entries.append(path)
    for folder in {"", *rng.sample(folders, min(3, len(folders)))}:
        lines = [_pattern(rng) for _ in range(rng.randint(1, 5))]
        (root / folder / ".gitignore").write_bytes("\n".join(lines).encode())
    return sorted(entries)


@needs_git
@pytest.mark.parametrize("seed", range(12))
def test_git_ignores_the_same(tmp_path: Path, seed: int) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    entries = _grown(tmp_path, random.Random(seed))  # noqa: S311
    asked = subprocess.run(
        ["git", "-C", tmp_path, "check-ignore", "-z", "--stdin", "--no-index"],
        input="\x00".join(entry.removesuffix("/") for entry in entries).encode(),
        capture_output=True,
        check=False,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
    )
    rules = {"": rules_around(tmp_path)[0].inside(tmp_path, "")}
    ignored = set()
    for entry in entries:
        path = entry.removesuffix("/")
        above = path.rpartition("/")[0]
        if above not in rules or rules[above].ignore(path, folder=entry != path):
            ignored.add(path)
        elif entry != path:
            rules[path] = rules[above].inside(tmp_path / path, path)
    assert ignored == set(asked.stdout.decode().split("\x00")) - {""}
