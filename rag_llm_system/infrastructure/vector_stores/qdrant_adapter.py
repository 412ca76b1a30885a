"""A Qdrant server or Qdrant Cloud, through qdrant-client over HTTP."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar
from urllib.parse import urlsplit

from qdrant_client import QdrantClient, models

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import (
    ConfigurationError,
    UnknownName,
)
from rag_llm_system.domain.ports import (
    Capabilities,
    CollectionSpec,
    Record,
    refuse_other_encoder,
)
from rag_llm_system.domain.queries import Hit, Terms, Where
from rag_llm_system.infrastructure.vector_stores.aliases import pointed_aliases, refuse_aliased
from rag_llm_system.infrastructure.vector_stores.points import (
    checked_deletion,
    checked_ids,
    checked_name,
    checked_points,
    checked_queries,
    checked_query,
    checked_term_queries,
)
from rag_llm_system.infrastructure.vector_stores.qdrant_collections import (
    KnownSpecs,
    create,
    index_payload,
)
from rag_llm_system.infrastructure.vector_stores.qdrant_connection import (
    CLIENT_ERRORS,
    CollectionAbsent,
    connect,
    translated,
)
from rag_llm_system.infrastructure.vector_stores.qdrant_points import scrolled, search, upload
from rag_llm_system.infrastructure.vector_stores.qdrant_requests import (
    alias_changes,
    filter_of,
    id_after,
    metadata,
    payload_selector,
    spec_in,
    terms_request,
    vector_request,
)

T = TypeVar("T")

_CAPABILITIES = Capabilities(
    filters="native",
    batch_search="native",
    aliases="native",
    approximate=True,
    readers="many processes",
    writers="many processes",
    durable_on="call",
)


class QdrantAdapter:
    """Many processes may read and write at once; a write is visible when its call returns.

    A batch of points is checked as a whole, but the server takes it in requests of 256 points, each on its own.
    """

    def __init__(
        self,
        *,
        url: str = "",
        host: str = "",
        port: int = 6333,
        api_key: str = "",
        client: QdrantClient | None = None,
        uploads: int | None = None,
    ) -> None:
        """``url`` for a cloud cluster, else ``host`` and ``port``; a ``client`` replaces both.

        The first connection is made by the first call. ``uploads`` is how many requests of an upsert are under way at
        once: 4, but 1 with a ``client``, which may not be safe for threads.
        """
        if client is None and bool(url) == bool(host):
            raise ConfigurationError(
                "Qdrant server: give either url (QDRANT_CLOUD_URL) or host (QDRANT_DATABASE_HOST)"
            )
        self._setting = "QDRANT_CLOUD_URL" if url else "QDRANT_DATABASE_HOST"
        self._address = urlsplit(url).hostname or f"{host}:{port}"
        self._uploads = uploads or (4 if client is None else 1)
        self._client = client or connect(url, host, port, api_key)
        self._specs = KnownSpecs(self._client, self._address)

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def claim(self) -> None:
        """A server lets many write."""

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        with self._errors(name):
            stored = self._specs.of(checked_name(name))
            if stored is None:
                create(self._client, name, spec, self._address)
            elif stored != spec:
                refuse_other_encoder(name, stored, spec)
                self._client.update_collection(name, metadata=metadata(spec))
                index_payload(self._client, name, spec)
            self._specs.forget_all()

    def collections(self) -> Mapping[str, CollectionSpec]:
        """Those of this project; others on the same server are not ours to list."""
        with self._errors():
            names = sorted(one.name for one in self._client.get_collections().collections)
            found = {name: spec_in(self._client.get_collection(name)) for name in names}
        return {name: spec for name, spec in found.items() if spec}

    def aliases(self) -> Mapping[str, str]:
        """Those of other programs on the same server too."""
        with self._errors():
            found = self._client.get_aliases().aliases
        return {one.alias_name: one.collection_name for one in found}

    def point_aliases(self, targets: Mapping[str, str | None]) -> None:
        now = self.aliases()
        changes = alias_changes(now, pointed_aliases(now, targets, self.collections()))
        with self._errors():
            if changes:  # one request is one step
                self._client.update_collection_aliases(changes)
            self._specs.forget_all()

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        try:
            with self._errors(name):
                points = self._existing(name, lambda spec: checked_points(name, spec, records))
                upload(self._client, name, points, at_once=self._uploads)
                return len(points)
        except CollectionAbsent as error:
            raise UnknownName("collection", name, self.collections()) from error

    def search(
        self,
        name: str,
        vector: Vectors,
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[Hit]:
        wanted = filter_of(where)

        def requests(spec: CollectionSpec) -> list[models.QueryRequest]:
            query = checked_query(name, spec, vector, limit)
            return [vector_request(query, limit, wanted, fields)]

        found = self._search(name, requests, limit)
        return found[0] if found else []

    def search_batch(
        self,
        name: str,
        vectors: Vectors,
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        wanted = filter_of(where)

        def requests(spec: CollectionSpec) -> list[models.QueryRequest]:
            queries = checked_queries(name, spec, vectors, limit).tolist()
            return [vector_request(query, limit, wanted, fields) for query in queries]

        found = self._search(name, requests, limit)
        return [[] for _ in vectors] if found is None else found

    def search_terms(
        self,
        name: str,
        queries: Sequence[Terms],
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        """As the port says, but the server counts a point that was deleted or replaced among those that have a term
        until it tidies the index it is in."""
        wanted = filter_of(where)

        def requests(spec: CollectionSpec) -> list[models.QueryRequest]:
            checked = checked_term_queries(name, queries, limit) if spec.terms else []
            return [terms_request(query, limit, wanted, fields) for query in checked if query]

        found = iter(self._search(name, requests, limit) or ())
        return [next(found, []) if query else [] for query in queries]

    def scan(
        self,
        name: str,
        *,
        where: Where | None = None,
        after: str = "",
        fields: Sequence[str] | None = None,
        with_vectors: bool = False,
    ) -> Iterator[Record]:
        wanted, selector = filter_of(where), payload_selector(fields)
        offset = id_after(checked_ids([after])[0]) if after else None
        if after and offset is None:
            return
        with suppress(CollectionAbsent), self._errors(name):
            if self._specs.of(name):
                yield from scrolled(
                    self._client,
                    name,
                    wanted=wanted,
                    offset=offset,
                    with_payload=selector,
                    with_vectors=with_vectors,
                )

    def delete(self, name: str, ids: Sequence[str]) -> None:
        wanted: list[models.ExtendedPointId] = list(checked_ids(ids))
        if wanted:
            self._delete(name, models.PointIdsList(points=wanted))

    def delete_where(self, name: str, where: Where) -> None:
        wanted = filter_of(checked_deletion(name, where))
        assert wanted is not None  # noqa: S101 - the condition is not empty
        self._delete(name, models.FilterSelector(filter=wanted))

    def count(self, name: str, *, where: Where | None = None) -> int:
        wanted = filter_of(where)
        with suppress(CollectionAbsent), self._errors(name):
            if self._specs.of(name):
                return self._client.count(name, count_filter=wanted, exact=True).count
        return 0

    def publish(self, name: str) -> None:
        """Nothing to do: every write was made visible, and durable as the server is configured, when it returned."""
        with self._errors(name):
            self._existing(name, lambda spec: spec)

    def drop(self, name: str) -> None:
        aliases = self.aliases()
        refuse_aliased(checked_name(name), aliases)
        with self._errors(name):
            if name not in aliases and self._specs.of(name):
                self._client.delete_collection(name)
            self._specs.forget(name)

    def close(self) -> None:
        self._client.close()

    def _search(
        self,
        name: str,
        requests: Callable[[CollectionSpec], list[models.QueryRequest]],
        limit: int,
    ) -> list[list[Hit]] | None:
        """None when the collection is absent."""
        with suppress(CollectionAbsent), self._errors(name):
            asked = self._specs.checked(name, requests)
            if asked is not None:
                return search(self._client, name, asked, limit=limit)
        return None

    def _delete(self, name: str, selector: models.PointIdsList | models.FilterSelector) -> None:
        with suppress(CollectionAbsent), self._errors(name):
            if self._specs.of(name):
                self._client.delete(name, selector, wait=True)

    def _existing(self, name: str, check: Callable[[CollectionSpec], T]) -> T:
        known = self._specs.checked(name, check)
        if known is None:
            raise UnknownName("collection", name, self.collections())
        return known

    @contextmanager
    def _errors(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except CLIENT_ERRORS as error:
            self._specs.forget(name)
            raise translated(error, self._address, self._setting) from error
