"""Published generations: immutable copies of a shard's files, with a manifest, behind one pointer.

::

    CURRENT.json            which generation is current, and what it holds; replaced in one step
    000007-3f2a91bc/        the current one: its files and their MANIFEST.json (sizes, digests)
    000006-88d0e1aa/        the one before, for readers that are just opening it
"""

import re
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from pydantic import ValidationError

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import StoreCorrupt
from rag_llm_system.domain.ports import CollectionSpec
from rag_llm_system.infrastructure.vector_stores.durable_files import (
    copy_sparse,
    digest_of,
    flush_folder,
    flush_tree,
    write_durably,
)
from rag_llm_system.infrastructure.vector_stores.edge_files import is_final, linked, segment_files

PUBLISHED = "published"
"""The folder of a collection that holds its generations."""

_POINTER = "CURRENT.json"
_MANIFEST = "MANIFEST.json"
_PARTIAL = ".partial"
_NAME = re.compile(r"\d{6,}-[0-9a-f]{8}")
_KEPT = 2  # the current generation, and the one a reader may be opening while it is replaced


class Generation(Value):
    """What CURRENT.json says."""

    name: str
    spec: CollectionSpec
    manifest_digest: str


class _File(Value):
    size: int
    digest: str


class _Manifest(Value):
    files: Mapping[str, _File]


def way_out(collection: Path) -> str:
    """What to do about a damaged collection: everything in it can be made again."""
    return (
        f"move the folder {collection} away and run `poe run-feature-engineering-pipeline`, "
        "which rebuilds the vectors from the data warehouse"
    )


def current(published: Path) -> Generation | None:
    """The current generation, None when nothing was published."""
    pointer = published / _POINTER
    try:
        return Generation.model_validate_json(pointer.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise _damaged(pointer, "is not what was published") from error


def pointer_state(published: Path) -> tuple[int, int] | None:
    """Changes with every publication; much cheaper than reading the pointer."""
    try:
        status = (published / _POINTER).stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def publish(shard: Path, published: Path, spec: CollectionSpec) -> Generation:
    """Take over the flushed shard and point to that. Killed at any moment, the pointer names a whole generation.

    Files that never change again are shared with the shard, and with the generation before.
    """
    published.mkdir(exist_ok=True)
    _remove_partial(published)
    before = _known_files(published)
    name = f"{_last_number(published) + 1:06d}-{uuid4().hex[:8]}"
    partial = published / (name + _PARTIAL)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, partial, ignore_errors=True)
        manifest_digest = _take_over(shard, partial, before)
        partial.rename(published / name)
        undo.pop_all()
    flush_folder(published)
    generation = Generation(name=name, spec=spec, manifest_digest=manifest_digest)
    write_durably(published / _POINTER, generation.model_dump_json().encode())
    _remove_old(published)
    return generation


def link_files(published: Path, generation: Generation, target: Path) -> None:
    """Give ``target`` the generation's files, as hard links where the file system has them, and check each one.

    Raises StoreCorrupt naming a file that is damaged or gone, FileNotFoundError when a newer generation has
    replaced this one meanwhile.
    """
    try:
        _link_checked(published / generation.name, generation.manifest_digest, target)
    except FileNotFoundError as error:
        if current(published) != generation:
            raise
        raise _damaged(Path(error.filename), "is missing") from error


def _link_checked(source: Path, manifest_digest: str, target: Path) -> None:
    for path, expected in _manifest(source, manifest_digest).files.items():
        ours = target / path
        ours.parent.mkdir(parents=True, exist_ok=True)
        if not (is_final(source, source / path) and linked(source / path, ours)):
            copy_sparse(source / path, ours)
        if ours.stat().st_size != expected.size or digest_of(ours) != expected.digest:
            raise _damaged(source / path, "is not what was published")


def _damaged(file: Path, what: str) -> StoreCorrupt:
    collection = next(parent.parent for parent in file.parents if parent.name == PUBLISHED)
    return StoreCorrupt(f"{file} {what}; {way_out(collection)}")


def _known_files(published: Path) -> Mapping[int, _File]:
    """What the current generation has, by inode: a file that is shared need not be read again."""
    try:
        generation = current(published)
        if generation is None:
            return {}
        folder = published / generation.name
        files = _manifest(folder, generation.manifest_digest).files
        return {(folder / path).stat().st_ino: file for path, file in files.items()}
    except (StoreCorrupt, FileNotFoundError):  # what is damaged is replaced
        return {}


def _take_over(shard: Path, target: Path, known: Mapping[int, _File]) -> str:
    """Shares or copies all but the write-ahead log, which a flush has emptied; the digest of the manifest."""
    files: dict[str, _File] = {}
    for source in (*segment_files(shard), shard / "edge_config.json"):
        path = source.relative_to(shard)
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        if is_final(shard, source) and linked(source, target / path):
            status = source.stat()
            files[str(path)] = known.get(status.st_ino) or _File(
                size=status.st_size, digest=digest_of(source)
            )
        else:
            digest = copy_sparse(source, target / path)
            files[str(path)] = _File(size=(target / path).stat().st_size, digest=digest)
    manifest = target / _MANIFEST
    manifest.write_bytes(_Manifest(files=files).model_dump_json(indent=1).encode())
    flush_tree(target)
    return digest_of(manifest)


def _manifest(generation: Path, digest: str) -> _Manifest:
    file = generation / _MANIFEST
    if digest_of(file) != digest:
        raise _damaged(file, "is not what was published")
    return _Manifest.model_validate_json(file.read_bytes())


def _names(published: Path) -> list[str]:
    return sorted(path.name for path in published.iterdir() if _NAME.fullmatch(path.name))


def _last_number(published: Path) -> int:
    return max((int(name.partition("-")[0]) for name in _names(published)), default=0)


def _remove_partial(published: Path) -> None:
    for leftover in published.glob("*" + _PARTIAL):
        shutil.rmtree(leftover)


def _remove_old(published: Path) -> None:
    for name in _names(published)[:-_KEPT]:
        shutil.rmtree(published / name)
