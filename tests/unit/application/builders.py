"""Small builders for the values that tests of the application share."""

from datetime import UTC, datetime

from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.domain.documents import Author, CleanedDocument, Document, Source

AUTHOR = Author.named("The Project")
FETCHED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def document(link: str, text: str, *, category: str = "articles", **more: object) -> Document:
    fields: dict[str, object] = {
        "category": category,
        "platform": "site.example",
        "title": "A title",
        "text": text,
        "author_id": AUTHOR.id,
        "author_full_name": AUTHOR.full_name,
        "source": Source(link=link, fetched_at=FETCHED),
        **more,
    }
    return Document.model_validate(fields)


def cleaned(link: str, text: str, **more: object) -> CleanedDocument:
    found = CleaningDispatcher().dispatch(document(link, text, **more))  # type: ignore[arg-type]
    assert found is not None
    return found
