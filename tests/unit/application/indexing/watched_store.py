"""A store in memory that notes what is written, can die at any write, and knows what other processes would see."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Where
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore

Moment = Literal["before", "half way", "after"]


class Killed(BaseException):
    """The process is gone: nothing of ours catches this."""


@dataclass(frozen=True)
class Death:
    """At the ``call``-th write, counted from 1; half way: with half of its records or ids written."""

    call: int
    moment: Moment


class WatchedStore(MemoryVectorStore):
    """``calls`` has the name of every call that may write, in order; ``on_change`` runs after each."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.death: Death | None = None
        self.on_change = on_change
        self._published: dict[str, frozenset[str]] = {}

    @property
    def writes(self) -> list[str]:
        """The calls that change something; a publication without changes does nothing by its contract."""
        return [call for call in self.calls if call != "publish"]

    def start(self, death: Death | None = None) -> None:
        """Count from here."""
        self.calls, self.death = [], death

    def ids(self, name: str) -> frozenset[str]:
        """The points of a collection as this process sees them."""
        return frozenset(record.id for record in self.scan(name, fields=()))

    def published_ids(self, name: str) -> frozenset[str]:
        """As another process sees them that reads what was published."""
        return self._published.get(self.aliases().get(name, name), frozenset())

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        self._call("ensure", lambda: MemoryVectorStore.ensure(self, name, spec))

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        half = records[: len(records) // 2]
        self._call(
            "upsert",
            lambda: MemoryVectorStore.upsert(self, name, records),
            lambda: MemoryVectorStore.upsert(self, name, half),
        )
        return len({record.id for record in records})

    def delete(self, name: str, ids: Sequence[str]) -> None:
        half = ids[: len(ids) // 2]
        self._call(
            "delete",
            lambda: MemoryVectorStore.delete(self, name, ids),
            lambda: MemoryVectorStore.delete(self, name, half),
        )

    def delete_where(self, name: str, where: Where) -> None:
        self._call("delete_where", lambda: MemoryVectorStore.delete_where(self, name, where))

    def publish(self, name: str) -> None:
        self._call("publish", lambda: self._publish(name))

    def point_aliases(self, targets: Mapping[str, str | None]) -> None:
        self._call("point_aliases", lambda: MemoryVectorStore.point_aliases(self, targets))

    def drop(self, name: str) -> None:
        self._call("drop", lambda: MemoryVectorStore.drop(self, name))

    def _publish(self, name: str) -> None:
        super().publish(name)
        self._published[self.aliases().get(name, name)] = self.ids(name)

    def _call(
        self, name: str, whole: Callable[[], object], half: Callable[[], object] = lambda: None
    ) -> None:
        self.calls.append(name)
        dying = self.death is not None and self.death.call == len(self.calls)
        moment = self.death.moment if self.death and dying else "after"
        done = {"before": lambda: None, "half way": half, "after": whole}[moment]
        done()
        self.on_change()
        if dying:
            raise Killed
