"""The writing side of Qdrant Edge: the lock, the working shards and their publication."""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from uuid import uuid4

from pydantic import ValidationError

from rag_llm_system.domain.errors import StorageFull, StoreCorrupt
from rag_llm_system.domain.ports import CollectionSpec, refuse_other_encoder
from rag_llm_system.infrastructure.vector_stores import generations, working_folders
from rag_llm_system.infrastructure.vector_stores.durable_files import flush_tree, write_durably
from rag_llm_system.infrastructure.vector_stores.edge_errors import EdgeErrors
from rag_llm_system.infrastructure.vector_stores.edge_files import snapshot
from rag_llm_system.infrastructure.vector_stores.edge_shard import Shard
from rag_llm_system.infrastructure.vector_stores.owner_lock import OwnerLock

_SPEC = "spec.json"
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
    """What only the writing process may do: ``acquire`` first, then the rest.

    One thread at a time may change something; any may call ``open`` meanwhile and read.
    """

    def __init__(self, path: Path, reserve_bytes: int) -> None:
        self._path = path
        self._reserve_bytes = reserve_bytes
        self._lock = OwnerLock(path / "writer.lock")
        self._shards: dict[str, Shard] = {}
        self._opening = (
            Lock()
        )  # held while it changes which shard is open, never while one is built

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
        for collection in self._path.glob(f"[!.]*/{_SPEC}"):
            working_folders.remove_old(collection.parent)

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
            with self._opening:
                self._shards[name] = self._create(name, spec)
            return
        refuse_other_encoder(name, shard.spec, spec)
        self.note_change(name)
        shard.spec = spec
        shard.index_payload()
        self._write_spec(name, spec)

    def open(self, name: str) -> Shard | None:
        """The working shard, with all that was acknowledged; None when there is no such collection."""
        shard = self._shards.get(name)
        if shard is not None and shard.usable:
            return shard
        with self._opening:
            shard = self._shards.get(name)
            if shard is None or not shard.usable:
                shard = self._load(name)
        return shard

    def check_space(self) -> None:
        """The engine maps its files into memory: on a full disk a write there kills its process."""
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
        """Build the next working shard beside this one, which answers meanwhile, publish it and take its place.

        The engine answers nothing while it builds a graph or flushes, so another one does that, on a copy.
        """
        self.check_space()
        collection = self._path / name
        partial = working_folders.make_next(collection)
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, partial)
            snapshot(working_folders.current(collection), partial)
            built = Shard.load(partial, shard.spec, holding=self._lock.descriptor)
            undo.callback(built.kill)
            built.flush()  # its log takes as much memory as the points, until they are flushed
            built.optimize()
            flush_tree(partial)  # at once, what the engine would flush file by file
            built.flush()
            flush_tree(partial)
            built.warm()
            undo.pop_all()
        with self._opening:
            working_folders.complete(partial)
            self._shards[name] = built
        working_folders.remove_old(collection)
        generations.publish(
            working_folders.current(collection), collection / generations.PUBLISHED, shard.spec
        )
        (collection / _UNPUBLISHED).unlink(missing_ok=True)

    def drop(self, name: str) -> None:
        """The collection is gone in one step; a crash leaves at most a hidden folder, removed by the next writer."""
        hidden = self._path / f"{_DROPPED}{uuid4().hex[:8]}"
        with self._opening:
            self._shards.pop(name, None)
            (self._path / name).rename(hidden)
        shutil.rmtree(hidden)

    def close(self) -> None:
        """Flush and let the next writer in; what was not published stays in the working shards."""
        for shard in self._shards.values():
            if shard.usable:
                shard.flush()
            shard.kill()
        self._shards.clear()
        self._lock.release()

    def _load(self, name: str) -> Shard | None:
        collection = self._path / name
        spec = stored_spec(collection)
        if spec is None:
            return None
        with EdgeErrors(collection, opening=True):
            folder = working_folders.current(collection)
            self._shards[name] = Shard.load(folder, spec, holding=self._lock.descriptor)
        return self._shards[name]

    def _create(self, name: str, spec: CollectionSpec) -> Shard:
        collection = self._path / name
        if collection.exists():  # without a spec: its making was interrupted
            shutil.rmtree(collection)
        collection.mkdir()
        self.note_change(name)
        folder = working_folders.make_next(collection)
        shard = Shard.create(folder, spec, holding=self._lock.descriptor)
        working_folders.complete(folder)
        self._write_spec(name, spec)
        return shard

    def _write_spec(self, name: str, spec: CollectionSpec) -> None:
        write_durably(self._path / name / _SPEC, spec.model_dump_json(indent=1).encode())
