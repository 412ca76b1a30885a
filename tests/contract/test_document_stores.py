"""What every document store must do, run on each of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from rag_llm_system.domain.documents import Author, Document, Source
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import DocumentStore, SaveReport

MOMENT = datetime(2025, 3, 30, 1, 59, 59, 123456, tzinfo=UTC)
ADA, BOB = Author.named("Ada Lovelace"), Author.named("Bob")


def a_document(n: int = 0, **changes: Any) -> Document:
    link = changes.pop("link", f"https://example.org/{n}")
    fields = {
        "category": "articles",
        "platform": "example.org",
        "title": f"Title {n}",
        "text": f"Text {n}",
        "author_id": ADA.id,
        "author_full_name": ADA.full_name,
        "source": Source(link=link, fetched_at=MOMENT, etag='"1"'),
    }
    return Document.model_validate({**fields, **changes})


def by_id(*documents: Document) -> list[Document]:
    return sorted(documents, key=lambda document: document.id)


def test_an_empty_store_finds_nothing(store: DocumentStore) -> None:
    assert list(store.find("articles")) == []
    assert store.count("articles") == 0
    assert store.source_of("articles", "https://example.org/0") is None
    assert store.delete("articles", [a_document().id]) == 0
    assert store.save([]) == SaveReport()


def test_a_document_comes_back_as_it_was_saved(store: DocumentStore) -> None:
    document = a_document(
        title="Größe, 日本語, 😀",
        subtitle='a "quoted" \\ line\u2028and another',
        text="def f(x):\n\treturn  x\r\n\x00\n",
        metadata={
            "tags": ["ä", "b", "b"],
            "none": [],
            "draft": True,
            "public": False,
            "stars": 1,
            "ratio": 1.0,
            "big": 2**62,
            "small": -0.1,
            "key with. dot": "x",
            "$dollar": "y",
            "looks like a date": "2025-01-01T00:00:00Z",
        },
        source=Source(
            link="https://example.org/0?b=2&a=1",
            final_url="https://example.org/zero",
            fetched_at=MOMENT,
            http_status=200,
            etag='W/"abc"',
            last_modified="Sun, 30 Mar 2025 01:00:00 GMT",
            commit="0" * 40,
        ),
    )

    store.save([document])

    [found] = store.find("articles")
    assert found == document
    assert {k: type(v) for k, v in found.metadata.items()} == {
        k: type(v) for k, v in document.metadata.items()
    }
    assert store.source_of("articles", document.link) == document.source


def test_moments_come_back_in_utc(store: DocumentStore) -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))

    store.save([a_document(source=Source(link="https://example.org/", fetched_at=elsewhere))])

    [found] = store.find("articles")
    assert found.source.fetched_at == MOMENT
    assert found.source.fetched_at.utcoffset() == timedelta(0)


def test_saving_twice_is_unchanged_and_an_edit_is_changed(store: DocumentStore) -> None:
    first, second = a_document(1), a_document(2)
    edited = a_document(1, text="another text")

    assert store.save([first, second]) == SaveReport(new=2)
    assert store.save([first, second]) == SaveReport(unchanged=2)
    assert store.save([edited, second, a_document(3)]) == SaveReport(new=1, changed=1, unchanged=1)
    assert list(store.find("articles")) == by_id(edited, second, a_document(3))


def test_an_unchanged_text_takes_over_everything_else(store: DocumentStore) -> None:
    later = Source(link="https://example.org/0", fetched_at=MOMENT + timedelta(1), etag='"2"')
    again = a_document(author_id=BOB.id, author_full_name="Bob", metadata={"b": 1}, source=later)
    store.save([a_document(metadata={"a.a": 1})])

    assert store.save([again]) == SaveReport(unchanged=1)

    assert list(store.find("articles")) == [again]
    assert store.source_of("articles", again.link) == later


def test_an_edit_leaves_no_field_of_the_older_version(store: DocumentStore) -> None:
    store.save([a_document(metadata={"old": 1})])

    store.save([a_document(text="new", metadata={})])

    assert [dict(found.metadata) for found in store.find("articles")] == [{}]


def test_the_later_of_two_versions_in_one_save_wins(store: DocumentStore) -> None:
    versions = [a_document(text="one"), a_document(text="two"), a_document(text="two")]

    assert store.save(iter(versions)) == SaveReport(new=1, changed=1, unchanged=1)
    assert list(store.find("articles")) == [a_document(text="two")]


def test_two_categories_with_the_same_link_do_not_collide(store: DocumentStore) -> None:
    article, post = a_document(), a_document(category="posts")

    assert store.save([article, post]) == SaveReport(new=2)

    assert list(store.find("articles")) == [article]
    assert list(store.find("posts")) == [post]


def test_two_documents_with_the_same_text_are_both_kept(store: DocumentStore) -> None:
    """Defect D11 of older systems: ids made of the text let one author's documents vanish."""
    same = {"title": "same", "text": "same"}
    ada = a_document(1, **same)
    bob = a_document(2, **same, author_id=BOB.id, author_full_name=BOB.full_name)

    store.save([ada, bob])

    assert list(store.find("articles", author_id=ADA.id)) == [ada]
    assert list(store.find("articles", author_id=BOB.id)) == [bob]


def test_a_link_is_found_in_any_spelling_that_means_the_same(store: DocumentStore) -> None:
    store.save([a_document(link="https://example.org/a")])

    assert store.source_of("articles", "HTTPS://Example.ORG:443/a#top") is not None
    assert store.source_of("articles", "https://example.org/b") is None
    assert store.source_of("posts", "https://example.org/a") is None


def test_documents_are_deleted_by_id(store: DocumentStore) -> None:
    kept, gone = a_document(1), a_document(2)
    store.save([kept, gone])

    assert store.delete("articles", [gone.id, a_document(3).id]) == 1
    assert store.delete("articles", [gone.id]) == 0
    assert list(store.find("articles")) == [kept]


def test_counts_are_by_category_and_author(store: DocumentStore) -> None:
    bobs = a_document(3, author_id=BOB.id, author_full_name=BOB.full_name)
    store.save([a_document(1), a_document(2), bobs, a_document(4, category="posts")])

    assert store.count("articles") == 3
    assert store.count("articles", author_id=ADA.id) == 2
    assert store.count("articles", author_id=BOB.id) == 1
    assert store.count("articles", author_id="nobody") == 0
    assert store.count("posts") == 1


def test_thousands_of_documents_are_streamed_in_the_order_of_their_ids(
    store: DocumentStore,
) -> None:
    documents = [a_document(n) for n in range(5_000)]

    assert store.save(iter(documents)) == SaveReport(new=5_000)

    assert list(store.find("articles", author_id=ADA.id)) == by_id(*documents)
    assert store.delete("articles", [document.id for document in documents]) == 5_000


def test_documents_larger_together_than_one_message_are_saved(store: DocumentStore) -> None:
    documents = [a_document(n, text=str(n) * 9_000_000) for n in range(6)]

    assert store.save(documents) == SaveReport(new=6)

    assert [len(found.text) for found in store.find("articles")] == [9_000_000] * 6


def test_a_document_over_the_limit_is_refused_by_its_link(store: DocumentStore) -> None:
    with pytest.raises(DataError, match=r"https://example.org/7: 16,\d+,\d+ bytes"):
        store.save([a_document(7, text="x" * 16 * 1024 * 1024)])

    assert store.count("articles") == 0


def test_what_breaks_off_in_the_caller_is_the_callers(store: DocumentStore) -> None:
    def broken() -> Iterator[Document]:
        yield a_document()
        raise KeyError("the caller's own")

    with pytest.raises(KeyError, match="the caller's own"):
        store.save(broken())


def test_authors_are_found_by_name_and_never_created_by_a_question(store: DocumentStore) -> None:
    """Defect D10 of older systems: a question about somebody made a new user."""
    assert store.find_author("Ada Lovelace") is None
    assert store.authors() == []

    store.save_author(ADA)

    assert store.find_author("  ada  LOVELACE ") == ADA
    assert store.find_author("Ada") is None
    assert store.authors() == [ADA]


def test_authors_are_sorted_by_name_and_saved_once(store: DocumentStore) -> None:
    renamed = Author(id=ADA.id, full_name="ada lovelace")
    for author in (BOB, renamed, ADA):
        store.save_author(author)

    assert store.authors() == [ADA, BOB]


def test_closing_twice_is_harmless(store: DocumentStore) -> None:
    store.close()
    store.close()
