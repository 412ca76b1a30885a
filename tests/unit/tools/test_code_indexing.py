"""What is indexed of a folder, how it is told, and which code base a name means."""

from pathlib import Path

import pytest

from rag_llm_system.application.code.miner import MiningReport
from rag_llm_system.application.code.project import Project
from rag_llm_system.application.code.vectorizer import CodeIndexReport, CodeVectorizer
from rag_llm_system.domain.errors import ConfigurationError, MissingFile, UnknownName
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.code.trees import PYTHON, paths, tree
from tools.code.bases import base_lines, named_base
from tools.code.indexing import CodeFolder, Indexed, change_line, index_folder, summary, warning


@pytest.fixture
def store() -> MemoryVectorStore:
    return MemoryVectorStore()


def indexed(store: MemoryVectorStore, code: CodeFolder) -> Indexed:
    return index_folder(CodeVectorizer(store, HashingEmbedder()), code)


def test_a_run_tells_what_it_read_embedded_and_left_out(
    tmp_path: Path, store: MemoryVectorStore
) -> None:
    tree(tmp_path, {"a.py": PYTHON, "b.py": PYTHON, "c.py": "", "d.png": b"\x00", "e.png": b"\x00"})
    first = summary(indexed(store, CodeFolder(tmp_path, "site")))
    assert first[:4] == [
        f"site: {tmp_path}",
        "  2 files read, 48 bytes; 0 unchanged",
        "  2 files embedded as 2 chunks (2 new)",
        "  3 left out: 2 binary, 1 empty",
    ]
    assert first[4].endswith("files/s")
    (tmp_path / "a.py").unlink()
    again = summary(indexed(store, CodeFolder(tmp_path, "site")))
    assert again[1:4] == [
        "  1 file read, 24 bytes; 1 unchanged",
        "  0 files embedded as 0 chunks",
        "  1 file removed, not there any more",
    ]


def test_a_folder_without_code_is_warned_of(tmp_path: Path, store: MemoryVectorStore) -> None:
    tree(tmp_path, {"notes.csv": "a\n"})
    assert warning(indexed(store, CodeFolder(tmp_path))) == (
        f"warning: no source file in {tmp_path}; left out: 1 data"
    )
    assert warning(indexed(store, CodeFolder(tree(tmp_path, {"a.py": PYTHON})))) == ""


def test_a_folder_that_is_none_is_said(tmp_path: Path, store: MemoryVectorStore) -> None:
    with pytest.raises(MissingFile, match="no such folder; give the folder of a code base"):
        indexed(store, CodeFolder(tmp_path / "nowhere"))


REPORTS = [
    (CodeIndexReport(files=5, unchanged=5), ""),
    (CodeIndexReport(embedded_files=1, chunks=1), "1 file embedded as 1 chunk, 0.50 s"),
    (CodeIndexReport(removed_files=2), "2 files removed, 0.50 s"),
    (
        CodeIndexReport(embedded_files=2, chunks=1200, removed_files=1),
        "2 files embedded as 1,200 chunks, 1 file removed, 0.50 s",
    ),
]


@pytest.mark.parametrize(("report", "line"), REPORTS)
def test_a_change_is_one_line(tmp_path: Path, report: CodeIndexReport, line: str) -> None:
    assert change_line(Indexed(Project(tmp_path), MiningReport(), report, 0.5)) == line


def test_folders_of_our_own_are_left_out_where_they_are_below(tmp_path: Path) -> None:
    files = dict.fromkeys(("a.py", "data[1]/b.py", "src/data[1]/c.py", "src/d_test.py"), PYTHON)
    tree(tmp_path, files)
    for excluded, found in [
        (tmp_path / "data[1]", ["a.py", "src/d_test.py", "src/data[1]/c.py"]),
        (tmp_path, sorted(files)),
        (tmp_path.parent / "elsewhere", sorted(files)),
        ("*_test.py", ["a.py", "data[1]/b.py", "src/data[1]/c.py"]),
    ]:
        assert paths(CodeFolder(tmp_path, exclude=(excluded,)).miner()) == found


def test_extensions_and_size_say_what_is_read(tmp_path: Path) -> None:
    tree(tmp_path, {"a.py": PYTHON, "b.js": "x\n", "c.py": PYTHON * 100})
    assert paths(CodeFolder(tmp_path, extensions=("py",), max_file_kb=1).miner()) == ["a.py"]


def test_code_bases_are_listed_and_found_by_name_and_folder(
    tmp_path: Path, store: MemoryVectorStore
) -> None:
    assert list(base_lines(store)) == ["no code base is indexed; poe code-index -- FOLDER"]
    for folder, name in (("one", ""), ("two ä", ""), ("left/app", ""), ("right/app", "")):
        indexed(store, CodeFolder(tree(tmp_path / folder, {"a.py": PYTHON}), name))

    lines = list(base_lines(store))
    assert [line.split()[0] for line in lines] == ["app", "app", "one", "two"]
    assert lines[2] == f"one          1 files         1 chunks  {tmp_path}/one"

    assert named_base(store, "one").name == "one"
    assert named_base(store, str(tmp_path / "two ä")).name == "two ä"
    assert named_base(store, str(tmp_path / "left" / "app")).root.endswith("/left/app")
    with pytest.raises(UnknownName, match="unknown code base 'three'; known: app, one, two ä"):
        named_base(store, "three")
    with pytest.raises(
        ConfigurationError, match=r"several code bases; give the folder: .*left/app, "
    ):
        named_base(store, "app")
