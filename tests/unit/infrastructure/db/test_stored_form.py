from datetime import UTC, datetime
from typing import Any

import pytest

from rag_llm_system.domain.documents import Author, Document, Source
from rag_llm_system.domain.errors import DataError, StoreCorrupt
from rag_llm_system.infrastructure.db.stored_form import (
    author_of,
    author_row_of,
    document_of,
    row_of,
    source_of,
)

LINK = "https://example.org/a"


def a_document(**changes: Any) -> Document:
    fields = {
        "category": "articles",
        "platform": "example.org",
        "title": "T",
        "subtitle": "S",
        "text": "X",
        "author_id": "1",
        "author_full_name": "Ada Lovelace",
        "source": Source(link=LINK, fetched_at=datetime(2025, 1, 2, 3, 4, 5, 6, tzinfo=UTC)),
    }
    return Document.model_validate({**fields, **changes})


def test_a_row_has_the_documented_fields_and_no_nulls() -> None:
    document = a_document(metadata={"tags": ["a"]})

    assert row_of(document).fields == {
        "_id": document.id,
        "platform": "example.org",
        "link": LINK,
        "origin": "",
        "content": {"title": "T", "subtitle": "S", "text": "X"},
        "author_id": "1",
        "author_full_name": "Ada Lovelace",
        "sha256": document.sha256,
        "source": {
            "final_url": "",
            "fetched_at": "2025-01-02T03:04:05.000006+00:00",
            "http_status": 0,
            "etag": "",
            "last_modified": "",
            "commit": "",
        },
        "metadata": {"tags": ["a"]},
    }


def test_the_origin_is_a_field_of_the_row_as_it_is_asked_for() -> None:
    source = Source(link=LINK, origin="https://example.org/feed", fetched_at=datetime(2025, 1, 2))
    row = row_of(a_document(source=source))

    assert row.fields["origin"] == row.fields_beside_content["origin"] == source.origin
    assert "origin" not in row.fields["source"]
    assert source_of("articles", row.fields).origin == source.origin


def test_a_row_of_before_there_were_origins_is_read() -> None:
    document = a_document()
    older = {k: v for k, v in row_of(document).fields.items() if k != "origin"}

    assert document_of("articles", older).source.origin == ""
    assert source_of("articles", older).origin == ""


def test_an_author_row_has_the_documented_fields() -> None:
    author = Author.named("Ada King Lovelace")

    assert author_row_of(author) == {
        "_id": author.id,
        "first_name": "Ada King",
        "last_name": "Lovelace",
        "full_name": "Ada King Lovelace",
    }


def test_a_moment_without_time_zone_is_taken_as_utc() -> None:
    naive = a_document(source=Source(link=LINK, fetched_at=datetime(2025, 1, 2)))

    row = row_of(naive)

    assert source_of("articles", row.fields).fetched_at == datetime(2025, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"text": "half a pair: \ud800"}, "surrogates not allowed"),
        ({"metadata": {"n": 2**64}}, "8-byte ints"),
        ({"metadata": {"a\x00b": 1}}, "NULL byte"),
        ({"metadata": {"score": float("nan")}}, "metadata 'score' is nan"),
        ({"metadata": {"score": float("-inf")}}, "metadata 'score' is -inf"),
    ],
)
def test_what_cannot_be_stored_is_refused_by_its_link(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(DataError, match=f"^{LINK}: .*{reason}"):
        row_of(a_document(**changes))


def test_a_row_shares_nothing_with_its_document() -> None:
    tags = ["a"]
    row = row_of(a_document(metadata={"tags": tags}))

    tags.append("b")

    assert document_of("articles", row.fields).metadata == {"tags": ["a"]}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"source": None}, "missing or misplaced"),
        ({"content": {"Title": "of another program"}}, "text: Field required"),
        ({"platform": 3}, "platform: Input should be a valid string"),
        ({"whatever": 1}, "whatever: Extra inputs are not permitted"),
    ],
)
def test_a_row_that_is_not_ours_is_named(changes: dict[str, Any], wrong: str) -> None:
    fields = {**row_of(a_document()).fields, **changes}

    with pytest.raises(StoreCorrupt, match=f"^row '.*' of collection 'articles' .*{wrong}"):
        document_of("articles", fields)


def test_a_row_without_source_is_named() -> None:
    with pytest.raises(StoreCorrupt, match=r"row 'x' of collection 'posts' .*'source'.*crawl"):
        source_of("posts", {"_id": "x", "link": LINK})


def test_an_author_row_without_name_is_named() -> None:
    with pytest.raises(StoreCorrupt, match="row 'x' of collection 'users'"):
        author_of({"_id": "x", "first_name": "Ada"})
