"""The reading side of Qdrant Edge: opens published generations, each through links of this process's own."""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

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
    """Open copies by collection; a newer generation replaces a copy at the next call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = ReaderFolder(path / ".readers")
        self._copies: dict[str, _Copy] = {}

    def specs(self) -> Mapping[str, CollectionSpec]:
        found = {
            pointer.parent.parent.name: current(pointer.parent)
            for pointer in sorted(self._path.glob(f"[!.]*/{PUBLISHED}/CURRENT.json"))
        }
        return {name: generation.spec for name, generation in found.items() if generation}

    def open(self, name: str) -> Shard | None:
        """What is published now; None when nothing is."""
        published = self._path / name / PUBLISHED
        pointer = pointer_state(published)
        copy = self._copies.get(name)
        if copy is not None and copy.pointer == pointer:
            return copy.shard
        self._forget(name)
        while pointer is not None and (generation := current(published)) is not None:
            try:
                self._copies[name] = self._copy(name, generation, pointer)
            except FileNotFoundError:  # replaced and removed while it was being linked
                pointer = pointer_state(published)
            else:
                return self._copies[name].shard
        return None

    def close(self) -> None:
        self._copies.clear()
        self._folder.close()

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
        """A scan that still runs keeps its shard: the files stay readable until it lets go of them."""
        copy = self._copies.pop(name, None)
        if copy is not None:
            shutil.rmtree(copy.folder)
