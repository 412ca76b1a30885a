"""The writing side of Qdrant Edge: the lock, the working shards and their publication."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from pydantic import ValidationError

from rag_llm_system.domain.errors import StorageFull, StoreCorrupt
from rag_llm_system.domain.ports import CollectionSpec, refuse_other_encoder
from rag_llm_system.infrastructure.vector_stores import generations
from rag_llm_system.infrastructure.vector_stores.durable_files import write_durably
from rag_llm_system.infrastructure.vector_stores.edge_errors import EdgeErrors
from rag_llm_system.infrastructure.vector_stores.edge_shard import Shard
from rag_llm_system.infrastructure.vector_stores.owner_lock import OwnerLock

_SPEC = "spec.json"
_SHARD = "shard"
_UNPUBLISHED = "unpublished"
_DROPPED = ".dropped-"


def stored_spec(collection: Path) -> CollectionSpec | None:
    """What a collection was made with; None when there is no such collection."""
    file = collection / _SPEC
    try:
        return CollectionSpec.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise StoreCorrupt(f"{file} is damaged; {generations.way_out(collection)}") from error


def has_unpublished(collection: Path) -> bool:
    """Whether something was written since the last publication, by whichever process."""
    return (collection / _UNPUBLISHED).exists()


class EdgeWriter:
    """What only the writing process may do: ``acquire`` first, then the rest."""

    def __init__(self, path: Path, reserve_bytes: int) -> None:
        self._path = path
        self._reserve_bytes = reserve_bytes
        self._lock = OwnerLock(path / "writer.lock")
        self._shards: dict[str, Shard] = {}

    @property
    def owns(self) -> bool:
        """Whether this process is the writer."""
        return self._lock.held

    def acquire(self) -> None:
        """Become the writer, or stay it. Raises StoreLocked naming the process that is."""
        if self._lock.held:
            return
        self._lock.acquire()
        for leftover in self._path.glob(f"{_DROPPED}*"):
            shutil.rmtree(leftover)

    def specs(self) -> Mapping[str, CollectionSpec]:
        found = {
            file.parent.name: stored_spec(file.parent)
            for file in sorted(self._path.glob(f"[!.]*/{_SPEC}"))
        }
        return {name: spec for name, spec in found.items() if spec}

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        self.check_space()
        shard = self.open(name)
        if shard is None:
            self._shards[name] = self._create(name, spec)
            return
        refuse_other_encoder(name, shard.spec, spec)
        shard.spec = spec
        shard.index_payload()
        self._write_spec(name, spec)

    def open(self, name: str) -> Shard | None:
        """The working shard, with all that was acknowledged; None when there is no such collection."""
        if name not in self._shards:
            spec = stored_spec(self._path / name)
            if spec is None:
                return None
            with EdgeErrors(self._path / name, opening=True):
                self._shards[name] = Shard.load(self._path / name / _SHARD, spec)
        return self._shards[name]

    def check_space(self) -> None:
        """The engine maps its files into memory: on a full disk a write there kills the process."""
        free_bytes = shutil.disk_usage(self._path).free
        if free_bytes < self._reserve_bytes:
            raise StorageFull(
                f"{self._path}: {free_bytes // 2**20} MB are free on its disk, "
                f"{self._reserve_bytes // 2**20} MB are wanted; free some and run again"
            )

    def note_change(self, name: str) -> None:
        """Leave a mark before the first write after a publication: a process that dies cannot forget it."""
        (self._path / name / _UNPUBLISHED).touch()

    def publish(self, name: str, shard: Shard) -> None:
        self.check_space()
        shard.optimize()
        shard.flush()
        collection = self._path / name
        generations.publish(collection / _SHARD, collection / generations.PUBLISHED, shard.spec)
        (collection / _UNPUBLISHED).unlink(missing_ok=True)

    def drop(self, name: str) -> None:
        """The collection is gone in one step; a crash leaves at most a hidden folder, removed by the next writer."""
        shard = self._shards.pop(name, None)
        if shard is not None:
            shard.close()
        hidden = self._path / f"{_DROPPED}{uuid4().hex[:8]}"
        (self._path / name).rename(hidden)
        shutil.rmtree(hidden)

    def close(self) -> None:
        """Flush and let the next writer in; what was not published stays in the working shards."""
        for shard in self._shards.values():
            shard.flush()
            shard.close()
        self._shards.clear()
        self._lock.release()

    def _create(self, name: str, spec: CollectionSpec) -> Shard:
        collection = self._path / name
        if collection.exists():  # without a spec: its making was interrupted
            shutil.rmtree(collection)
        collection.mkdir()
        self.note_change(name)
        shard = Shard.create(collection / _SHARD, spec)
        self._write_spec(name, spec)
        return shard

    def _write_spec(self, name: str, spec: CollectionSpec) -> None:
        write_durably(self._path / name / _SPEC, spec.model_dump_json(indent=1).encode())
