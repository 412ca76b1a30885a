"""Records become documents; a file with one bad line gives nothing at all."""

import json
from pathlib import Path
from typing import Any

import pytest

from rag_llm_system.application.crawlers.records import RecordsCrawler
from rag_llm_system.domain.documents import Author, Document, canonical_link
from rag_llm_system.domain.errors import CrawlError

AUTHOR = Author.named("Film Archive")
GOOD: dict[str, Any] = {"category": "movies", "link": "https://films.example/1", "text": "A plot."}


def write(folder: Path, *records: object) -> None:
    lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records]
    (folder / "records.jsonl").write_text("\n".join(lines), "utf-8")


def crawl(folder: Path, link: str = "file:records.jsonl") -> list[Document]:
    return [*RecordsCrawler(folder, allow_local=True).crawl(link, AUTHOR, None)]


def test_the_documents_know_their_file_and_so_does_the_end(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    crawl = RecordsCrawler(tmp_path, allow_local=True).crawl("file:records.jsonl", AUTHOR, None)
    origin = canonical_link("file:records.jsonl")
    assert next(crawl).source.origin == origin
    with pytest.raises(StopIteration) as end:
        next(crawl)
    assert end.value.value.source.link == origin


def test_a_record_becomes_a_document_and_its_other_fields_metadata(tmp_path: Path) -> None:
    extra = {"title": "T", "year": 1999, "rating": 7.5, "genres": ["drama", "war"], "seen": True}
    write(tmp_path, GOOD | extra | {"published_at": "1999-01-01", "budget": None})
    (document,) = crawl(tmp_path)
    assert (document.category, document.title, document.text) == ("movies", "T", "A plot.")
    assert (document.link, document.platform) == ("https://films.example/1", "films.example")
    assert document.author_full_name == "Film Archive"
    assert document.metadata == {
        "year": 1999,
        "rating": 7.5,
        "genres": ["drama", "war"],
        "seen": True,
        "published_at": "1999-01-01",
    }


def test_records_come_in_the_order_of_the_file_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    links = [f"https://films.example/{n}" for n in (3, 1, 2)]
    write(tmp_path, *[line for link in links for line in (GOOD | {"link": link}, "")])
    assert [document.link for document in crawl(tmp_path)] == links


def test_a_record_may_name_its_platform(tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"platform": "archive"})
    assert crawl(tmp_path)[0].platform == "archive"


def test_an_absolute_path_and_an_encoded_blank_are_understood(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "records.jsonl").rename(tmp_path / "my records.jsonl")
    assert len(crawl(Path("elsewhere"), f"file://{tmp_path}/my%20records.jsonl")) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 2 is not JSON"),
        ("[1]", "line 2 is not a JSON object"),
        ('{"year": NaN}', "line 2 is not JSON: NaN"),
        (GOOD | {"text": " "}, "line 2, field 'text' is missing or empty"),
        ({"category": "a", "text": "b"}, "line 2, field 'link' is missing or empty"),
        (GOOD | {"title": 3}, "line 2, field 'title' must be text, not int"),
        (GOOD | {"cast": {"a": 1}}, "line 2, field 'cast' must be text, a number"),
        (GOOD | {"author_id": "x"}, "line 2, field 'author_id' is set by the crawl"),
        (GOOD | {"link": "films/1"}, "line 2, field 'link' is not usable: no link"),
        (GOOD | {"link": "https://u:hunter2@films.example/1"}, "field 'link' is not usable"),
        (GOOD, "line 2, field 'link' stands in line 1 already"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_given_out(
    tmp_path: Path, line: object, reason: str
) -> None:
    write(tmp_path, GOOD, line)
    documents = RecordsCrawler(tmp_path, allow_local=True).crawl("file:records.jsonl", AUTHOR, None)
    with pytest.raises(CrawlError) as raised:
        next(documents)
    assert str(raised.value).startswith("file:records.jsonl: line 2")
    assert reason in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("file:absent.jsonl", "cannot read the file: No such file"),
        ("file:records.csv", "use file:<path>.jsonl"),
        ("file://host/records.jsonl", "use file:<path>"),
        ("https://films.example/records.jsonl", "use file:<path>"),
    ],
)
def test_what_is_no_readable_file_of_records_is_refused(
    tmp_path: Path, link: str, reason: str
) -> None:
    with pytest.raises(CrawlError, match=reason):
        crawl(tmp_path, link)


def test_a_file_without_records_or_in_another_encoding_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(CrawlError, match="the file holds no records"):
        crawl(tmp_path)
    (tmp_path / "records.jsonl").write_bytes(b'{"text": "\xe9"}')
    with pytest.raises(CrawlError, match="not UTF-8 at byte 10"):
        crawl(tmp_path)


def test_local_files_are_read_only_when_allowed(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    crawler = RecordsCrawler(tmp_path, allow_local=False)
    with pytest.raises(CrawlError, match="local files are not allowed"):
        next(crawler.crawl("file:records.jsonl", AUTHOR, None))
