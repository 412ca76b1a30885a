"""Which files of a shard's folder never change, so that copies of the folder may share them as hard links."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from rag_llm_system.infrastructure.vector_stores.durable_files import copy_sparse

# Observed over upserts, deletions, new indexes, flushes and openings (version 0.9): in a segment that takes no more
# points the engine writes to the rest, such as id_tracker.deleted and the bitmasks, also when it only opens a shard.
_FINAL = re.compile(
    r"matrix\.dat|graph\.bin|links\w*\.bin|page_\d+\.dat"
    r"|(values_to_points|point_to_values|data|data_block_index)\.bin|id_tracker\.(e2i|i2e)"
    r"|inverted_index\.dat"
)
# The engine makes the next file of its log in the background, under this name until it is whole.
_COMING_LOG = "tmp-open-"
_FULL_LOG = re.compile(r"closed-\d+")
_TAKES_NO_MORE = "id_tracker.deleted"  # a segment that does has mutable_id_tracker.* instead


def segment_files(shard: Path) -> Iterator[Path]:
    """The files that hold the points, sorted."""
    yield from (path for path in sorted((shard / "segments").rglob("*")) if path.is_file())


def is_final(shard: Path, path: Path) -> bool:
    """Whether the engine never writes to this file of the shard again."""
    folder = path.relative_to(shard).parts[:2]
    if folder[0] == "wal":
        return bool(_FULL_LOG.fullmatch(path.name))
    return bool(_FINAL.fullmatch(path.name)) and shard.joinpath(*folder, _TAKES_NO_MORE).exists()


def snapshot(shard: Path, target: Path) -> None:
    """All of a shard that an engine has open and does not write to now, its write-ahead log included.

    It is what the death of the engine's process would leave, so an engine opens it without loss.
    """
    for source in sorted(shard.rglob("*")):
        copy = target / source.relative_to(shard)
        if source.name.startswith(_COMING_LOG):
            continue
        if source.is_dir():
            copy.mkdir()
        elif not (is_final(shard, source) and linked(source, copy)):
            copy_sparse(source, copy)


def linked(source: Path, target: Path) -> bool:
    """Whether ``target`` could be made a hard link to ``source``."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # no hard links on this file system; copying says so if something else is wrong
        return False
    return True
