"""The older implementations' dump can be read, and what is written can be read again."""

import gzip
import json
from pathlib import Path

import pytest

from rag_llm_system.application.warehouse_dump import export_dump, import_dump
from rag_llm_system.domain.errors import DataError, MissingFile
from rag_llm_system.infrastructure.db.memory import MemoryDocumentStore
from tests.unit.application.builders import AUTHOR, document

CONTENT = {"Title": "A 'title'", "Subtitle": None, "Content": "Text\n\n    code", "language": "en"}


def row(**more: object) -> dict[str, object]:
    return {
        "_id": "1",
        "link": "http://a.example/1",
        "platform": "a.example",
        "author_id": "2",
        "author_full_name": "Ada Example",
        "content": CONTENT,
        **more,
    }


def write(folder: Path, rows: object, name: str = "ArticleDocument.json") -> Path:
    (folder / name).write_text(json.dumps(rows), encoding="utf-8")
    return folder


@pytest.mark.parametrize("content", [CONTENT, str(CONTENT)], ids=["object", "text of one"])
def test_both_forms_of_content_are_read(tmp_path: Path, content: object) -> None:
    store = MemoryDocumentStore()
    reports = import_dump(store, write(tmp_path, [row(content=content)]))
    found = next(store.find("articles"))
    assert reports["ArticleDocument.json"].new == 1
    assert (found.title, found.subtitle, found.text) == ("A 'title'", "", "Text\n\n    code")
    assert found.metadata == {"language": "en"}
    assert store.find_author("ada example") is not None


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    store = MemoryDocumentStore()
    write(tmp_path, [row()])
    import_dump(store, tmp_path)
    assert import_dump(store, tmp_path)["ArticleDocument.json"].unchanged == 1


def test_gzipped_files_and_users_are_read(tmp_path: Path) -> None:
    users = [{"_id": "1", "first_name": "Ada", "last_name": "Example"}]
    (tmp_path / "UserDocument.json.gz").write_bytes(gzip.compress(json.dumps(users).encode()))
    store = MemoryDocumentStore()
    import_dump(store, tmp_path)
    assert [a.full_name for a in store.authors()] == ["Ada Example"]


def test_a_repository_gives_one_document_per_file(tmp_path: Path) -> None:
    content = {"src/a.py": "x = 1", "README.md": "# A"}
    store = MemoryDocumentStore()
    import_dump(store, write(tmp_path, [row(content=content)], "RepositoryDocument.json"))
    assert {d.link: d.text for d in store.find("repositories")} == {
        "http://a.example/1/src/a.py": "x = 1",
        "http://a.example/1/README.md": "# A",
    }


def test_what_is_exported_can_be_imported(tmp_path: Path) -> None:
    store = MemoryDocumentStore()
    store.save_author(AUTHOR)
    store.save([document("http://a.example/1", "Text", metadata={"language": "en"})])
    store.save([document("http://a.example/2", "Post", category="posts")])

    assert export_dump(store, tmp_path)["ArticleDocument.json"] == 1
    again = MemoryDocumentStore()
    import_dump(again, tmp_path)

    for category in ("articles", "posts"):
        ours = [(d.id, d.sha256, d.metadata) for d in store.find(category)]
        assert [(d.id, d.sha256, d.metadata) for d in again.find(category)] == ours


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"a": 1}, "expected a list"),
        ([{"link": "x"}], "row 1: field 'author_full_name' is missing"),
        ([row(), row(content=3)], "row 2: 'content' is a int"),
    ],
)
def test_a_malformed_dump_stores_nothing(tmp_path: Path, rows: object, message: str) -> None:
    store = MemoryDocumentStore()
    with pytest.raises(DataError, match=message):
        import_dump(store, write(tmp_path, rows))
    assert store.count("articles") == 0


def test_an_empty_folder_names_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"ArticleDocument\.json"):
        import_dump(MemoryDocumentStore(), tmp_path)
