"""Collections on a Qdrant server: how one is made, and what each was made with."""

from collections.abc import Callable
from typing import TypeVar

from qdrant_client import QdrantClient, models

from rag_llm_system.domain.errors import ConfigurationError, DataError, IncompatibleCollection
from rag_llm_system.domain.ports import CollectionSpec
from rag_llm_system.infrastructure.vector_stores.points import checked_name
from rag_llm_system.infrastructure.vector_stores.qdrant_requests import (
    metadata,
    payload_indexes,
    sparse_vectors_config,
    spec_in,
    vectors_config,
)

T = TypeVar("T")

_EXACT_BELOW_KB = 30_000  # as for Qdrant Edge, where it was measured


def create(client: QdrantClient, name: str, spec: CollectionSpec, address: str) -> None:
    client.create_collection(
        name,
        vectors_config=vectors_config(spec),
        sparse_vectors_config=sparse_vectors_config(spec),
        hnsw_config=models.HnswConfigDiff(full_scan_threshold=_EXACT_BELOW_KB),
        metadata=metadata(spec),
    )
    if spec_in(client.get_collection(name)) is None:
        client.delete_collection(name)
        raise ConfigurationError(
            f"the Qdrant server at {address} keeps no metadata of collections; "
            "it must be version 1.16 or newer"
        )
    index_payload(client, name, spec)


def index_payload(client: QdrantClient, name: str, spec: CollectionSpec) -> None:
    """Before the first point, or the server's graph would not know the fields; again is harmless."""
    for path, kind in payload_indexes(spec).items():
        client.create_payload_index(name, path, field_schema=kind, wait=True)


class KnownSpecs:
    """What each collection was made with, asked for once."""

    def __init__(self, client: QdrantClient, address: str) -> None:
        self._client = client
        self._address = address
        self._specs: dict[str, CollectionSpec] = {}

    def of(self, name: str) -> CollectionSpec | None:
        """None when the collection is absent."""
        spec = self._specs.get(name)
        if spec is None and self._client.collection_exists(checked_name(name)):
            spec = spec_in(self._client.get_collection(name))
            if spec is None:
                raise IncompatibleCollection(
                    f"collection {name!r} at {self._address} was not made by this system; "
                    "rename it, or use another server"
                )
            self._specs[name] = spec
        return spec

    def checked(self, name: str, check: Callable[[CollectionSpec], T]) -> T | None:
        """What ``check`` makes of the spec; None when the collection is absent.

        Another process may have pointed the alias elsewhere, so what does not fit is checked again with a new answer.
        """
        asked_before = name in self._specs
        spec = self.of(name)
        if spec is None:
            return None
        try:
            return check(spec)
        except DataError:
            if not asked_before:
                raise
            self.forget(name)
            return self.checked(name, check)

    def forget(self, name: str) -> None:
        self._specs.pop(name, None)

    def forget_all(self) -> None:
        """A collection may be known by a second name."""
        self._specs.clear()
