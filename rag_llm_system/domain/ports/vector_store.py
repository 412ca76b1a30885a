"""Vector stores, as the application sees them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from pydantic import Field

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import IncompatibleCollection
from rag_llm_system.domain.queries import Hit, Terms, Where


class CollectionSpec(Value):
    """What a collection holds. ``dimension`` None: payloads only, no vectors.

    ``terms`` names what makes texts into terms ("" where points have none): its points can be searched by words.
    """

    dimension: int | None = None
    encoder: str = ""
    terms: str = ""
    keyword_fields: tuple[str, ...] = ()
    integer_fields: tuple[str, ...] = ()

    @property
    def made_with(self) -> str:
        """For people: the encoder, its dimension and what makes terms."""
        terms = f", {self.terms}" if self.terms else ""
        if self.dimension is None:
            return "no vectors" + terms
        return f"{self.encoder or 'an unnamed encoder'} ({self.dimension} dimensions{terms})"


def refuse_other_encoder(name: str, stored: CollectionSpec, wanted: CollectionSpec) -> None:
    """Raises IncompatibleCollection unless both specs hold vectors of the same encoder, and terms of the same kind."""
    if (stored.dimension, stored.encoder) != (wanted.dimension, wanted.encoder):
        raise IncompatibleCollection(
            f"collection {name!r} was made with {stored.made_with}, in use is {wanted.made_with}; set "
            "TEXT_EMBEDDING_MODEL_ID back, or build the index of the new encoder beside it: "
            "poe run-feature-engineering-pipeline"
        )
    if stored.terms != wanted.terms:
        raise IncompatibleCollection(
            f"collection {name!r} was made by another version, with {stored.terms or 'no words'} to search and not "
            f"{wanted.terms or 'none'}; build it anew (nothing is embedded twice): "
            "poe run-feature-engineering-pipeline"
        )


class Record(Value):
    """One point. ``vector`` has the collection's dimension, or is empty in a collection without vectors.

    ``terms`` may be empty everywhere: no search for terms finds such a point.
    """

    id: str
    vector: tuple[float, ...] = ()
    terms: Terms = Field(default_factory=dict)
    payload: Mapping[str, Any]


class Capabilities(Value):
    """What a vector store does by itself. Each may be asked for everything in :class:`VectorStore`; this says how.

    ``emulated`` is correct but costs more than an engine's own way. ``approximate``: above some size a search may
    miss a few of the best points. ``durable_on``: from when on a write survives the loss of power; at the latest
    from ``publish``, unless it is ``never``, which dies with the process.
    """

    filters: Literal["native", "emulated"]
    batch_search: Literal["native", "emulated"]
    aliases: Literal["native", "emulated"]
    approximate: bool
    readers: Literal["one process", "many processes"]
    writers: Literal["one process", "many processes"]
    durable_on: Literal["call", "publish", "never"]


class VectorStore(Protocol):
    """Named collections of points with payloads; scores are cosine similarities, higher is better.

    An alias is a second name of a collection and stands for it in every call. A collection is never named as an alias.
    Where ``capabilities.writers`` is one process, another is refused (``StoreLocked`` names the holder); readers in
    other processes see a publication as soon as they have opened it.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    def claim(self) -> None:
        """Become the writer before long work, or raise StoreLocked at once. Where many may write, nothing is done."""

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        """Create the collection, or raise IncompatibleCollection when it was made with another encoder or dimension."""

    def collections(self) -> Mapping[str, CollectionSpec]:
        """Every collection by its own name, aliases left out."""

    def aliases(self) -> Mapping[str, str]:
        """Alias to the collection that it stands for."""

    def point_aliases(self, targets: Mapping[str, str | None]) -> None:
        """Make all these aliases stand for these collections (None: for nothing any more) in one step, durably.

        A reader sees all of it or nothing. Raises UnknownName for an absent collection, DataError for an alias that is
        the name of a collection.
        """

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        """Insert or replace whole points; how many different ones. The last record of an id counts.

        All are checked first: a bad one raises DataError and changes nothing. Here and in ``publish`` an absent
        collection raises UnknownName.
        """

    def search(
        self,
        name: str,
        vector: Vectors,
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[Hit]:
        """The ``limit`` best points that meet ``where``, best first, ties by id; [] when the collection is absent.

        Hits carry these top-level payload ``fields``, None meaning all.
        """

    def search_batch(
        self,
        name: str,
        vectors: Vectors,
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        """``search`` for each row of ``vectors``, shape (n, dimension)."""

    def search_terms(
        self,
        name: str,
        queries: Sequence[Terms],
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        """For each query the ``limit`` best points that share a term with it and meet ``where``, in the same order.

        The score is the sum, over the shared terms, of both weights times ln(1 + (N - n + 0.5) / (n + 0.5)), where N
        points of the whole collection have terms and n have this one: BM25 (Robertson and Zaragoza 2009) when a
        point's weights are saturated counts. A server may go on counting a point that was removed for a while. [] per
        query when the collection is absent or was made without terms.
        """

    def scan(
        self,
        name: str,
        *,
        where: Where | None = None,
        after: str = "",
        fields: Sequence[str] | None = None,
        with_vectors: bool = False,
    ) -> Iterator[Record]:
        """Stream points ordered by id; nothing when the collection is absent.

        Only ids greater than ``after``; only these top-level payload ``fields``, None meaning all; without vectors
        and terms unless asked for.
        """

    def delete(self, name: str, ids: Sequence[str]) -> None: ...

    def delete_where(self, name: str, where: Where) -> None:
        """Remove every point that meets ``where``; an empty one raises DataError: ``drop`` is the way to remove all."""

    def count(self, name: str, *, where: Where | None = None) -> int: ...

    def publish(self, name: str) -> None:
        """Make what was written durable and visible to readers in other processes.

        Also what an earlier process wrote and did not live to publish; without any, nothing is done.
        """

    def drop(self, name: str) -> None:
        """Remove the collection; DataError while an alias stands for it. Nothing when it is absent."""

    def close(self) -> None: ...
