"""`poe crawl` shows what links give, says why others give nothing, and stores only when told to."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tools import crawl

RECORDS = (
    '{"category": "posts", "link": "https://posts.example/1", "text": "A post about queues."}\n'
    '{"category": "posts", "link": "https://posts.example/2", "text": "Another one.", "likes": 3}\n'
)


@pytest.fixture
def link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    records = tmp_path / "posts.jsonl"
    records.write_text(RECORDS, encoding="utf-8")
    return f"file:{records}"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(crawl.main, arguments)


def test_documents_are_shown_and_not_stored(link: str, tmp_path: Path) -> None:
    result = run("--allow-local", link)
    assert result.exit_code == 0
    assert "posts  https://posts.example/1\n" in result.output
    assert "    A post about queues." in result.output
    assert "  likes         3\n" in result.output
    assert result.output.endswith("-- 2 documents, 0 links to crawl; nothing was stored\n")
    assert not (tmp_path / "data" / "mongo").exists()


def test_json_is_one_object_a_line(link: str) -> None:
    lines = run("--allow-local", "--json", link).output.splitlines()
    assert [json.loads(line)["source"]["link"] for line in lines] == [
        "https://posts.example/1",
        "https://posts.example/2",
    ]


def test_each_link_that_gives_nothing_is_told_with_its_reason_and_kind(link: str) -> None:
    result = run(link, "nowhere", "https://user:hunter2@site.example/")
    assert result.exit_code == 1
    assert "[not allowed]" in result.output
    assert "nowhere: no link: it must start with a scheme such as https:  [malformed]" in (
        result.output
    )
    assert "[unsafe]" in result.output
    assert "hunter2" not in result.output


def test_without_a_link_the_usage_is_shown() -> None:
    result = run()
    assert result.exit_code == 2
    assert "Missing argument" in result.output
