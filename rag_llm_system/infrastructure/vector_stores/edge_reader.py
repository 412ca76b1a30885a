"""The reading side of Qdrant Edge: opens published generations, each through links of this process's own."""

import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from rag_llm_system.domain.ports import CollectionSpec
from rag_llm_system.infrastructure.vector_stores.edge_errors import EdgeErrors
from rag_llm_system.infrastructure.vector_stores.edge_shard import Shard
from rag_llm_system.infrastructure.vector_stores.generations import (
    PUBLISHED,
    Generation,
    current,
    link_files,
    pointer_state,
)
from rag_llm_system.infrastructure.vector_stores.reader_folder import ReaderFolder


@dataclass(frozen=True)
class _Copy:
    pointer: tuple[int, int]  # as it was when the copy was made
    folder: Path
    shard: Shard


class EdgeReader:
    """Open copies by collection. A newer generation is opened beside the copy, which answers until that is done."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = ReaderFolder(path / ".readers")
        self._copies: dict[str, _Copy] = {}
        self._opening = RLock()
        self._background = _background_thread()
        self._refreshes: dict[str, Future[None]] = {}

    def specs(self) -> Mapping[str, CollectionSpec]:
        found = {
            pointer.parent.parent.name: current(pointer.parent)
            for pointer in sorted(self._path.glob(f"[!.]*/{PUBLISHED}/CURRENT.json"))
        }
        return {name: generation.spec for name, generation in found.items() if generation}

    def open(self, name: str) -> Shard | None:
        """What is published, or was a moment ago; None when nothing is."""
        pointer = pointer_state(self._path / name / PUBLISHED)
        copy = self._copies.get(name)
        if pointer is not None and copy is not None and copy.shard.usable:
            if copy.pointer != pointer:
                self._refresh(name)
            return copy.shard
        with self._opening:
            return self._open_newest(name)

    def close(self) -> None:
        background, self._background = self._background, _background_thread()
        background.shutdown()
        with self._opening:
            self._copies.clear()
            self._refreshes.clear()
            self._folder.close()

    def _refresh(self, name: str) -> None:
        running = self._refreshes.get(name)
        if running is None or running.done():
            self._refreshes[name] = self._background.submit(self._replace, name)

    def _replace(self, name: str) -> None:
        with ExitStack() as failed, self._opening:
            failed.callback(self._forget, name)  # the next call tries itself, and says why it fails
            self._open_newest(name)
            failed.pop_all()

    def _open_newest(self, name: str) -> Shard | None:
        published = self._path / name / PUBLISHED
        pointer = pointer_state(published)
        copy = self._copies.get(name)
        if copy is not None and copy.pointer == pointer and copy.shard.usable:
            return copy.shard  # another thread was quicker
        while pointer is not None and (generation := current(published)) is not None:
            try:
                newest = self._copy(name, generation, pointer)
            except FileNotFoundError:  # replaced and removed while it was being linked
                pointer = pointer_state(published)
            else:
                # in this order: no search is to wait until the old one is cleared away
                self._copies[name] = newest
                if copy is not None:
                    shutil.rmtree(copy.folder)
                return newest.shard
        self._forget(name)
        return None

    def _copy(self, name: str, generation: Generation, pointer: tuple[int, int]) -> _Copy:
        folder = self._folder.new(name)
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, folder)
            link_files(self._path / name / PUBLISHED, generation, folder)
            with EdgeErrors(self._path / name, opening=True):
                shard = Shard.load(folder, generation.spec)
            undo.pop_all()
        return _Copy(pointer, folder, shard)

    def _forget(self, name: str) -> None:
        """Who still searches or scans the copy keeps its shard, and with that the files."""
        copy = self._copies.pop(name, None)
        if copy is not None:
            shutil.rmtree(copy.folder)


def _background_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "qdrant-edge-reader")
