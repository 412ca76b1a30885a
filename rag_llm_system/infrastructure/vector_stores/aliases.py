"""Second names of collections, kept in one small file that is replaced in one step."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from rag_llm_system.domain.errors import DataError, StoreCorrupt, UnknownName
from rag_llm_system.infrastructure.vector_stores.durable_files import write_durably
from rag_llm_system.infrastructure.vector_stores.points import checked_name

_ALIASES = TypeAdapter(dict[str, str])


class AliasFile:
    """``aliases.json`` of a store's folder. It is looked at in each call: another process may have replaced it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, ...], Mapping[str, str]] = ((), {})

    def read(self) -> Mapping[str, str]:
        """Alias to collection; raises StoreCorrupt when the file is not what was written."""
        state, aliases = self._read
        try:
            status = self._path.stat()
            now = (status.st_ino, status.st_mtime_ns, status.st_size)
            if now != state:  # parsing it takes longer than some searches
                aliases = _ALIASES.validate_json(self._path.read_bytes())
                self._read = now, aliases
            return dict(aliases)
        except FileNotFoundError:
            return {}
        except ValidationError as error:
            raise StoreCorrupt(
                f"{self._path} is damaged; remove it and run `poe run-feature-engineering-pipeline`"
            ) from error

    def resolve(self, name: str) -> str:
        """The collection that a name stands for: its own name, unless it is an alias."""
        return self.read().get(checked_name(name), name)

    def point(self, targets: Mapping[str, str | None], collections: Iterable[str]) -> None:
        """As ``VectorStore.point_aliases``; the caller is the only writer of the folder."""
        pointed = pointed_aliases(self.read(), targets, collections)
        write_durably(self._path, _ALIASES.dump_json(pointed, indent=1))


def pointed_aliases(
    now: Mapping[str, str], targets: Mapping[str, str | None], collections: Iterable[str]
) -> dict[str, str]:
    """The aliases after a change, checked."""
    there = set(collections)
    for alias, target in targets.items():
        if checked_name(alias) in there:
            raise DataError(f"alias {alias!r} is the name of a collection; drop that first")
        if target is not None and target not in there:
            raise UnknownName("collection", target, sorted(there))
    changed = {**now, **targets}
    return {alias: target for alias, target in sorted(changed.items()) if target is not None}


def refuse_aliased(name: str, aliases: Mapping[str, str]) -> None:
    """Raises DataError when an alias stands for the collection, which is about to be dropped."""
    pointing = sorted(alias for alias, target in aliases.items() if target == name)
    if pointing:
        raise DataError(
            f"collection {name!r} is in use as {', '.join(pointing)}; point that elsewhere first"
        )
