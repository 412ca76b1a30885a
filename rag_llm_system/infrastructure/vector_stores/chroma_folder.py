"""What lies in Chroma's folder: which graphs were being written, and what to do with them after a break-off.

Chroma writes its graphs in place: one that is cut off there may be unreadable (1 of 10 killed writers left such a one)
or crash the process that reads it. Its database is safe, and holds all that a graph is made of. So a collection
has a mark while it is written to, and a graph that still has its mark is removed before Chroma opens the folder.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from rag_llm_system.infrastructure.vector_stores.durable_files import flush_folder

_GRAPHS = "????????-????-????-????-????????????"  # a folder for each, named by a UUID
_MARK = ".writing."


class ChromaFolder:
    """For the one process that owns the folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = path / "chroma.sqlite3"
        self._marked: set[str] = set()

    @property
    def marked(self) -> list[str]:
        return sorted(self._marked)

    def mark(self, name: str) -> None:
        """Before something is written to a collection; durable when it returns."""
        if name not in self._marked:
            (self._path / (_MARK + name)).touch()
            flush_folder(self._path)
            self._marked.add(name)

    def unmark(self, names: Iterable[str]) -> None:
        """Flush the graphs, which Chroma does not do, then take away the marks of these collections."""
        marked = [one for one in names if one in self._marked]
        if not marked:
            return
        for graph in self._path.glob(_GRAPHS):
            for file in sorted(graph.iterdir()):
                _flush(file)
            flush_folder(graph)
        flush_folder(self._path)
        for name in marked:
            (self._path / (_MARK + name)).unlink(missing_ok=True)
            self._marked.remove(name)

    def remove_broken_graphs(self) -> list[str]:
        """Before Chroma opens the folder. The collections whose graph is to be built again, marked from now on."""
        names = sorted(one.name.removeprefix(_MARK) for one in self._path.glob(_MARK + "*"))
        if names:
            broken = {engine_name(name) for name in names}
            for graph, owner in self._graphs().items():
                if owner in broken:
                    shutil.rmtree(self._path / graph, ignore_errors=True)
        self._marked.update(names)
        return names

    def remove_graphs_of_dropped(self) -> None:
        """Chroma leaves them on the disk."""
        used = self._graphs()
        for graph in self._path.glob(_GRAPHS):
            if graph.name not in used:
                shutil.rmtree(graph)

    def _graphs(self) -> dict[str, str]:
        """Folder name of each graph, and Chroma's name of its collection."""
        with closing(sqlite3.connect(self._database)) as database:
            rows = database.execute(
                "SELECT s.id, c.name FROM segments s JOIN collections c ON s.collection = c.id "
                "WHERE s.scope = 'VECTOR'"
            )
            return dict(rows.fetchall())


def engine_name(name: str) -> str:
    """Chroma's names have at least three characters, and a letter or a digit at both ends."""
    return f"c.{name}.c"


def own_name(name: str) -> str:
    return name.removeprefix("c.").removesuffix(".c")


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
