"""The data warehouse as JSON files, in and out, with the real embedded engines."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rag_llm_system.bootstrap import build
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.settings import Settings, load_settings
from tools import forget
from tools.data_warehouse import main

USERS = [{"first_name": "Ada", "last_name": "Test"}]
ARTICLES = [
    {
        "platform": "a.example",
        "link": f"https://a.example/{n}",
        "author_full_name": "Ada Test",
        "content": {"Title": f"Title {n}", "Subtitle": "", "Content": f"Text {n}, “quoted”."},
    }
    for n in (1, 2)
]


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    folder = tmp_path / "dump"
    folder.mkdir()
    (folder / "UserDocument.json").write_text(json.dumps(USERS), encoding="utf-8")
    (folder / "ArticleDocument.json").write_text(json.dumps(ARTICLES), encoding="utf-8")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_what_was_imported_is_counted_and_can_be_exported(dump: Path, tmp_path: Path) -> None:
    first, second = (run("import", "--data-dir", dump) for _ in range(2))
    assert first.stdout == "ArticleDocument.json: 2 new, 0 changed, 0 unchanged\n"
    assert second.stdout == "ArticleDocument.json: 0 new, 0 changed, 2 unchanged\n"
    assert "Ada Test: 2 articles, 0 posts" in run("status").stdout

    exported = run("export", "--data-dir", tmp_path / "out")
    assert f"{tmp_path / 'out' / 'ArticleDocument.json'}: 2 rows" in exported.stdout
    rows = json.loads((tmp_path / "out" / "ArticleDocument.json").read_text(encoding="utf-8"))
    by_link = sorted(rows, key=lambda row: str(row["link"]))
    assert [{name: row[name] for name in ARTICLES[0]} for row in by_link] == ARTICLES


def test_dropped_vectors_are_gone_and_what_has_none_stays() -> None:
    with build(load_settings()) as system:
        for name, spec, vector in (
            ("article_chunks_embedded", CollectionSpec(dimension=2, encoder="e"), (1.0, 0.0)),
            ("cleaned_articles", CollectionSpec(), ()),
        ):
            system.vectors.ensure(name, spec)
            point = Record(id="5b1d0f7e-6f0a-5f5c-8f9b-3f2f1f0e1d0c", vector=vector, payload={})
            system.vectors.upsert(name, [point])
            system.vectors.publish(name)

    ran = run("drop-vectors")

    assert ran.stdout.splitlines()[0] == "article_chunks_embedded: dropped"
    assert "poe run-feature-engineering-pipeline" in ran.stdout
    with build(load_settings()) as system:
        assert set(system.vectors.collections()) == {"cleaned_articles"}


def test_only_what_no_encoder_in_use_made_can_be_dropped() -> None:
    live, old = "article_chunks_embedded__1", "article_chunks_embedded__0"
    with build(load_settings()) as system:
        for name in (live, old):
            system.vectors.ensure(name, CollectionSpec(dimension=2, encoder=name[-1]))
            system.vectors.publish(name)
        system.vectors.point_aliases({"article_chunks_embedded": live})

    assert f"{old}: 0 points, not in use (0)" in run("status").stdout
    assert run("drop-vectors", "--unused").stdout == f"{old}: dropped\n"

    assert "article_chunks_embedded (1): 0 points" in run("status").stdout
    assert run("drop-vectors").stdout.splitlines()[0] == f"{live}: dropped"


def test_forgetting_a_link_removes_it_from_the_data_warehouse(dump: Path) -> None:
    run("import", "--data-dir", dump)
    link = ARTICLES[0]["link"]

    forgotten = CliRunner().invoke(forget.main, [str(link)], catch_exceptions=False)
    again = CliRunner().invoke(forget.main, [str(link)], catch_exceptions=False)

    assert forgotten.stdout.startswith(f"{link}: 1 documents, 0 records of the index and 0 cached")
    assert "Ada Test: 1 articles" in run("status").stdout
    assert again.exit_code == 2
    assert f"nothing is stored of {link}" in again.stderr


def test_a_folder_without_a_dump_is_named(tmp_path: Path) -> None:
    ran = run("import", "--data-dir", tmp_path)
    assert ran.exit_code == 2
    assert ran.stderr.startswith(f"error: no dump in {tmp_path}; expected one of UserDocument.json")
