"""Files that are whole after a crash or a power cut: written beside their place, flushed, then moved into it."""

import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

_BLOCK_BYTES = 64 * 1024
_ZEROS = bytes(_BLOCK_BYTES)


def write_durably(path: Path, content: bytes) -> None:
    """Replace the file in one step, for a single writer; a reader sees the old content or the new, never a part."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        _flush(file)
    beside.replace(path)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable; a file's own flush does not cover its name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_durably(source: Path, target: Path) -> str:
    """Copy the bytes, flush them and return their digest. Holes stay holes: engines preallocate tens of megabytes."""
    with source.open("rb") as reading, target.open("xb") as writing:
        digest = _digest(_copied(_blocks(reading), writing))
        writing.truncate(reading.tell())
        _flush(writing)
    return digest


def digest_of(path: Path) -> str:
    """SHA-256 of the blocks that are not all zero, each after its offset.

    Several times faster than hashing the zeros of a preallocated file, and as safe beside the file's size.
    """
    with path.open("rb") as file:
        return _digest(_blocks(file))


def _blocks(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Offset and content of each block that holds anything; leaves the position at the end of the file."""
    offset = 0
    while block := file.read(_BLOCK_BYTES):
        if block != _ZEROS[: len(block)]:
            yield offset, block
        offset += len(block)


def _copied(blocks: Iterable[tuple[int, bytes]], writing: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for offset, block in blocks:
        writing.seek(offset)
        writing.write(block)
        yield offset, block


def _digest(blocks: Iterable[tuple[int, bytes]]) -> str:
    digest = sha256()
    for offset, block in blocks:
        digest.update(offset.to_bytes(8, "little"))
        digest.update(block)
    return digest.hexdigest()


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
