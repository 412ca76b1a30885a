"""The documents of some authors come in a fixed order, and an unknown author is named."""

import pytest

from rag_llm_system.application.warehouse import authors_named, documents_of
from rag_llm_system.domain.documents import Author
from rag_llm_system.domain.errors import ConfigurationError, UnknownAuthor
from rag_llm_system.infrastructure.db.memory import MemoryDocumentStore
from tests.unit.application.builders import document

ADA, BEN = Author.named("Ada Example"), Author.named("Ben Example")


@pytest.fixture
def store() -> MemoryDocumentStore:
    store = MemoryDocumentStore()
    for author in (ADA, BEN):
        store.save_author(author)
        own = {"author_id": author.id, "author_full_name": author.full_name}
        links = [f"http://{author.first_name.lower()}.example/{n}" for n in range(3)]
        store.save(document(link, "Text", **own) for link in links)
        store.save([document(f"{links[0]}/post", "Post", category="posts", **own)])
    return store


def test_without_names_everybody_is_read(store: MemoryDocumentStore) -> None:
    assert authors_named(None, store) == [ADA, BEN]
    assert len(list(documents_of(None, store))) == 8


def test_names_are_found_whatever_their_case(store: MemoryDocumentStore) -> None:
    found = list(documents_of(["ben  EXAMPLE"], store))
    assert {d.author_full_name for d in found} == {"Ben Example"}
    assert [d.category for d in found] == ["articles"] * 3 + ["posts"]


def test_the_order_is_the_same_every_time(store: MemoryDocumentStore) -> None:
    assert [d.id for d in documents_of(None, store)] == [d.id for d in documents_of(None, store)]


def test_an_unknown_author_is_named_with_those_there_are(store: MemoryDocumentStore) -> None:
    with pytest.raises(
        UnknownAuthor, match=r"unknown author 'Eve'; .*'Ada Example', 'Ben Example'"
    ):
        list(documents_of(["Ada Example", "Eve"], store))
    assert store.find_author("Eve") is None


def test_an_empty_list_is_not_everybody(store: MemoryDocumentStore) -> None:
    with pytest.raises(ConfigurationError, match="author_full_names is empty"):
        authors_named([], store)
