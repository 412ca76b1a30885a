"""The folders in which a collection is worked on: the newest whole one counts.

::

    shard-000007/            what the writer works on
    shard-000008.partial/    what is to replace it, while that is being built
"""

import re
import shutil
from pathlib import Path

from rag_llm_system.domain.errors import StoreCorrupt
from rag_llm_system.infrastructure.vector_stores.durable_files import flush_folder
from rag_llm_system.infrastructure.vector_stores.generations import way_out

_PARTIAL = ".partial"
_NAME = re.compile(r"shard(-\d{6,})?")  # without a number: made before they had one


def current(collection: Path) -> Path:
    """Raises StoreCorrupt when there is none."""
    newest = _newest(collection)
    if newest is None:
        raise StoreCorrupt(f"{collection} has no working shard; {way_out(collection)}")
    return newest


def make_next(collection: Path) -> Path:
    """An empty folder, not counted before it is complete."""
    number = max(map(_number, _whole(collection)), default=0) + 1
    folder = collection / f"shard-{number:06d}{_PARTIAL}"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    return folder


def complete(partial: Path) -> None:
    """From now on this one counts. Who has it open as the working directory does not notice."""
    partial.rename(partial.with_suffix(""))
    flush_folder(partial.parent)


def remove_old(collection: Path) -> None:
    """All but the current one; who has files of another open keeps them."""
    kept = _newest(collection)
    for folder in collection.glob("shard*"):
        if folder != kept:
            shutil.rmtree(folder)


def _newest(collection: Path) -> Path | None:
    return max(_whole(collection), key=_number, default=None)


def _whole(collection: Path) -> list[Path]:
    return [folder for folder in collection.glob("shard*") if _NAME.fullmatch(folder.name)]


def _number(folder: Path) -> int:
    return int(folder.name.partition("-")[2] or 0)
