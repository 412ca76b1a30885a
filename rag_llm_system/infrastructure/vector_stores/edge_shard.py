"""An open shard of Qdrant Edge: our points, filters and hits, sent to the process that has the engine."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Hit, Terms, Where
from rag_llm_system.infrastructure.vector_stores.edge_process import EngineProcess
from rag_llm_system.infrastructure.vector_stores.filters import key_path, translate
from rag_llm_system.infrastructure.vector_stores.points import Point, best

_BATCH_POINTS = 500  # 25 ms of the engine, which a search waits for; larger ones are no faster
_PAGE_POINTS = 512

_Condition = tuple[Any, ...]


class Shard:
    """A shard and the process that has it open; that one ends when nobody has this object any more."""

    def __init__(self, process: EngineProcess, spec: CollectionSpec) -> None:
        self._process = process
        self.spec = spec

    @classmethod
    def create(cls, folder: Path, spec: CollectionSpec, *, holding: int | None = None) -> "Shard":
        """An empty shard in an empty folder. ``holding``: see EngineProcess."""
        with cls._started(folder, spec, holding) as shard:
            shard._process.call("create", spec.dimension, with_terms=bool(spec.terms))
            shard.index_payload()
            shard.flush()
        return shard

    @classmethod
    def load(cls, folder: Path, spec: CollectionSpec, *, holding: int | None = None) -> "Shard":
        """The shard as it was acknowledged last."""
        with cls._started(folder, spec, holding) as shard:
            shard._process.call("load")
            shard.warm()
        return shard

    @classmethod
    @contextmanager
    def _started(cls, folder: Path, spec: CollectionSpec, holding: int | None) -> Iterator["Shard"]:
        """A shard whose process is ended if what follows fails: nothing is to work in its folder then."""
        shard = cls(EngineProcess(folder, holding=holding), spec)
        with ExitStack() as failed:
            failed.callback(shard.kill)
            yield shard
            failed.pop_all()

    @property
    def usable(self) -> bool:
        """Whether its process lives."""
        return self._process.alive

    def index_payload(self) -> None:
        """Add the payload indexes of the spec that are not there yet."""
        keywords = [key_path(field) for field in self.spec.keyword_fields]
        integers = [key_path(field) for field in self.spec.integer_fields]
        self._process.call("index_payload", keywords, integers)

    def upsert(self, points: Sequence[Point]) -> None:
        for start in range(0, len(points), _BATCH_POINTS):
            batch = points[start : start + _BATCH_POINTS]
            self._process.call(
                "upsert", [(one.id, one.vector, _sent(one.terms), one.payload) for one in batch]
            )

    def delete(self, ids: Sequence[str]) -> None:
        if ids:
            self._process.call("delete", list(ids))

    def delete_where(self, where: Where) -> None:
        self._process.call("delete_where", _condition(where))

    def search(
        self, queries: Vectors, limit: int, where: Where | None, fields: Sequence[str] | None
    ) -> list[list[Hit]]:
        """The best of each row of ``queries``, ties by id."""
        return self._best("search", queries.tolist(), limit, where, fields)

    def search_terms(
        self,
        queries: Sequence[Terms],
        limit: int,
        where: Where | None,
        fields: Sequence[str] | None,
    ) -> list[list[Hit]]:
        """The best of each query, ties by id."""
        return self._best("search_terms", [_sent(one) for one in queries], limit, where, fields)

    def pages(
        self, where: Where | None, *, after: str, fields: Sequence[str] | None, with_vectors: bool
    ) -> Iterator[list[Record]]:
        """The points after an id, ordered by id, a page per call to the engine."""
        wanted, keys = _condition(where), _keys(fields)
        while True:
            found = self._process.call(
                "page",
                after or None,
                _PAGE_POINTS + 1,
                wanted,
                fields=keys,
                with_vectors=with_vectors,
            )
            yield [
                Record(id=i, vector=tuple(v), terms=_received(t), payload=p)
                for i, v, t, p in found
                if i != after  # the engine begins with the given id itself
            ]
            if len(found) <= _PAGE_POINTS:
                return
            after = found[-1][0]

    def count(self, where: Where | None) -> int:
        return int(self._process.call("count", _condition(where)))

    def warm(self) -> None:
        """Let the first search not wait for files."""
        self._process.call("warm")

    def optimize(self) -> None:
        """Build the graph where exact search would be slow: up to a minute, in which the shard answers nothing."""
        self._process.call("optimize")

    def flush(self) -> None:
        """Until this returns, what was written survives the death of the process but not of the machine."""
        self._process.call("flush")

    def kill(self) -> None:
        """End its process now. Nothing that was acknowledged is lost."""
        self._process.kill()

    def _best(
        self,
        method: str,
        queries: Sequence[Any],
        limit: int,
        where: Where | None,
        fields: Sequence[str] | None,
    ) -> list[list[Hit]]:
        wanted, keys = _condition(where), _keys(fields)

        def nearest(some: Sequence[Any], number: int) -> list[list[Hit]]:
            found = self._process.call(method, some, number, wanted, keys)
            return [[Hit(id=i, score=s, payload=p) for i, s, p in one] for one in found]

        first = dict(enumerate(nearest(queries, limit + 1)))

        def of_query(n: int) -> list[Hit]:
            # almost always the first answer is enough; a tie at the cut asks on
            return best(
                limit,
                lambda number: first.pop(n) if n in first else nearest([queries[n]], number)[0],
            )

        return [of_query(n) for n in range(len(queries))]


class _Conditions:
    """Conditions of the filter language as tuples that the engine's process understands."""

    def texts(self, key: str, values: list[str]) -> _Condition:
        return "texts", key, values

    def flag(self, key: str, value: bool) -> _Condition:
        return "flag", key, value

    def integer(self, key: str, value: int) -> _Condition:
        return "integer", key, value

    def between(self, key: str, gte: float | None, lte: float | None) -> _Condition:
        return "between", key, gte, lte

    def any_of(self, conditions: list[_Condition]) -> _Condition:
        return "any of", conditions

    def all_of(self, conditions: list[_Condition]) -> _Condition:
        return "all of", conditions


def _condition(where: Where | None) -> _Condition | None:
    return translate(where, _Conditions())


def _keys(fields: Sequence[str] | None) -> list[str] | None:
    return None if fields is None else [key_path(field) for field in fields]


def _sent(terms: Terms) -> tuple[list[int], list[float]]:
    return list(terms), list(terms.values())


def _received(terms: tuple[list[int], list[float]]) -> Terms:
    return dict(zip(*terms, strict=True))
