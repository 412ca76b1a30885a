"""What users like and have seen: kept in the data warehouse as anything else, and found from the moment it is told."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

from rag_llm_system.application.indexing import Indexer, cleaned_documents, live_collections
from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.movies.told import Told, told
from rag_llm_system.application.preprocessing.categories import CATEGORIES
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.application.rag.question import encoded
from rag_llm_system.domain.documents import Author, Document, Source, sha256_of
from rag_llm_system.domain.errors import DataError, StoreLocked
from rag_llm_system.domain.films import Preference, SimilarPreference
from rag_llm_system.domain.ports import DocumentStore, Embedder, VectorStore

CATEGORY = CATEGORIES["preferences"]
TABLE = {CATEGORY.name: CATEGORY}
"""Indexed alone, so that nothing else that the author has is touched."""

MAX_PREFERENCES = 500
"""Of one user: more is no taste, and all of what was seen is read for every question."""

MAX_USER_CHARS = 200

_PLATFORM = "movies"
_WINDOWS = 4
"""A long sentence has several vectors with an encoder of a small window: so many are read for each that is wanted."""

_PATIENCE_S = 5.0
"""Another user's words take up to some seconds to write; a pipeline takes minutes, and is not waited for."""

_SEEN_WITHIN_S = 5.0
_PAUSE_S = 0.02


class Preferences:
    """Personal: a user's are found for that user alone. Users are told apart by name, case and white space aside.

    ``documents`` opens the data warehouse, which only writing needs: reading asks the vector store. ``writing`` opens a
    store to write to, on the same data as ``store``, and lets go of it at the end of the block, so that processes take
    turns; None where ``store`` itself may stay the writer. ``catalogue`` knows the titles of the index.
    """

    def __init__(
        self,
        documents: Callable[[], DocumentStore],
        store: VectorStore,
        embedder: Embedder,
        *,
        catalogue: Callable[[], FilmCatalogue],
        writing: Callable[[], AbstractContextManager[VectorStore]] | None = None,
        limit: int = MAX_PREFERENCES,
        patience_s: float = _PATIENCE_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._documents = documents
        self._store = store
        self._embedder = embedder
        self._catalogue = catalogue
        self._writing = writing or (lambda: nullcontext(store))
        self._limit = limit
        self._patience_s = patience_s
        self._now = now
        self._one_at_a_time = threading.Lock()

    def add(self, user: str, text: str) -> Preference:
        """The first of :meth:`tell`."""
        return self.tell(user, text)[0]

    def tell(self, user: str, text: str) -> tuple[Preference, ...]:
        """Keep a taste, or each film of "I have seen Heat and Alien"; what is known already is given back as it is.

        Raises DataError for a text that cannot be kept and for a user who has too many, StoreLocked while a pipeline
        writes: then nothing was kept.
        """
        author = _author(user)
        said = told(text, self._catalogue())
        documents = [self._document(author, said, one) for one in said.texts]
        known = {one.id: one for one in self.all(user)}
        new = [document for document in documents if document.id not in known]
        if len(known) + len(new) > self._limit:
            raise DataError(
                f"{user!r} has {len(known)} preferences, and {self._limit} are the most; remove some first"
            )
        if new:
            self._write(author, lambda store: store.save(new))
        return tuple(
            known.get(one.id) or _preference(user, one.id, one.model_dump()) for one in documents
        )

    def remove(self, user: str, id: str) -> bool:
        """Whether it was there; another user's never is."""
        if id not in {one.id for one in self.all(user)}:
            return False
        self._write(_author(user), lambda store: store.delete(CATEGORY.name, [id]))
        return True

    def all(self, user: str) -> list[Preference]:
        """In the order in which they were told."""
        found = self._store.scan(CATEGORY.cleaned_collection, where={"author_id": _author(user).id})
        ordered = sorted(found, key=lambda one: (one.payload["metadata"].get("told_at", 0), one.id))
        return [_preference(user, one.id, one.payload) for one in ordered]

    def seen(self, user: str) -> list[str]:
        """Titles."""
        return [one.text for one in self.all(user) if one.kind == "seen"]

    def similar(self, user: str, text: str, limit: int = 3) -> list[SimilarPreference]:
        """The user's tastes that are nearest to a text, best first."""
        collection = live_collections(self._store, self._embedder, TABLE).get(CATEGORY.name)
        if collection is None or not text.strip():
            return []
        mine = _author(user).id
        hits = self._store.search(
            collection,
            encoded(text, self._embedder, with_tokens=False).vector,
            limit=limit * _WINDOWS,
            where={"author_id": mine, "kind": "taste"},
            fields=("document_id",),
        )
        best: dict[str, float] = {}
        for hit in hits:
            best.setdefault(hit.payload["document_id"], hit.score)
        known = {one.id: one.text for one in self.all(user)} if best else {}
        found = [
            SimilarPreference(text=known[id], similarity=score)
            for id, score in best.items()
            if id in known
        ]
        return found[:limit]

    def _document(self, author: Author, said: Told, text: str) -> Document:
        now = self._now()
        return Document(
            category=CATEGORY.name,
            platform=_PLATFORM,
            text=text,
            author_id=author.id,
            author_full_name=author.full_name,
            source=Source(link=_link(author, said.kind, text), fetched_at=now),
            metadata={"kind": said.kind, "told_at": now.timestamp()},
        )

    def _write(self, author: Author, change: Callable[[DocumentStore], object]) -> None:
        """Change the data warehouse, then make the index follow for this author: what a killed run left is completed.

        The lock comes first: what cannot be indexed now is not kept either.
        """
        with self._one_at_a_time:
            with self._claimed() as store:
                documents = self._documents()
                documents.save_author(author)
                change(documents)
                clean = CleaningDispatcher(TABLE).dispatch
                mine = documents.find(CATEGORY.name, author_id=author.id)
                cleaned = [one for one in map(clean, mine) if one is not None]
                indexer = Indexer(store, self._embedder, TABLE)
                indexer.load_cleaned(cleaned, authors=[author.id])
                indexer.load_chunks(indexer.embed_changed(cleaned_documents(store, TABLE)))
            self._wait_for({one.id for one in cleaned}, author)

    @contextmanager
    def _claimed(self) -> Iterator[VectorStore]:
        """The store as its only writer; raises StoreLocked when another is still writing after some seconds."""
        with self._writing() as store:
            give_up = time.monotonic() + self._patience_s
            while True:
                try:
                    store.claim()
                    break
                except StoreLocked:
                    if time.monotonic() >= give_up:
                        raise
                    time.sleep(_PAUSE_S)
            yield store

    def _wait_for(self, ids: set[str], author: Author) -> None:
        """Until a question finds what was written: a reader opens a publication a moment later."""
        give_up = time.monotonic() + _SEEN_WITHIN_S
        names = (CATEGORY.cleaned_collection, CATEGORY.chunk_collection)
        while any(self._ids(name, author) != ids for name in names):
            if time.monotonic() >= give_up:
                return
            time.sleep(_PAUSE_S)

    def _ids(self, name: str, author: Author) -> set[str]:
        where = {"author_id": author.id}
        found = self._store.scan(name, where=where, fields=("document_id",))
        return {str(record.payload["document_id"]) for record in found}


def _author(user: str) -> Author:
    """Apart from who writes articles under the same name."""
    name = " ".join(user.split())
    if not name or len(name) > MAX_USER_CHARS or not name.isprintable():
        raise DataError(
            f"user {user[:MAX_USER_CHARS]!r}: a user has 1 to {MAX_USER_CHARS} printable characters"
        )
    return Author.named(f"{name} (film taste)")


def _link(author: Author, kind: str, text: str) -> str:
    """The same sentence of the same user is one preference, case aside."""
    return f"preference:{author.id}/{kind}/{sha256_of(text.casefold())}"


def _preference(user: str, id: str, fields: Mapping[str, Any]) -> Preference:
    """``fields`` of a raw or a cleaned document."""
    seen = fields["metadata"].get("kind") == "seen"
    return Preference(id=id, user=user, text=str(fields["text"]), kind="seen" if seen else "taste")
