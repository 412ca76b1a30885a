"""The HNSW graph of a FAISS collection: how it is built, and its file ``index.faiss``.

The file is FAISS's own: an index that gives the rows of the points. It can be made anew from the tables, which know its
digest, so one that is missing, older than the tables or damaged is simply not used.
"""

import hashlib
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import faiss

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.infrastructure.vector_stores.durable_files import flush_folder
from rag_llm_system.infrastructure.vector_stores.faiss_segment import (
    ALL_THREADS,
    EF_CONSTRUCTION,
    LINKS,
    Segment,
)
from rag_llm_system.infrastructure.vector_stores.faiss_tables import Graph, Rows

_LOG = logging.getLogger(__name__)
_BLOCK_BYTES = 2**20


def built(dimension: int, pages: Iterable[tuple[Rows, Vectors]]) -> Any:
    """A graph of all these vectors."""
    links = faiss.IndexHNSWFlat(dimension, LINKS, faiss.METRIC_INNER_PRODUCT)
    links.hnsw.efConstruction = EF_CONSTRUCTION
    return _grow(faiss.IndexIDMap(links), pages)


def grown(graph: Any, pages: Iterable[tuple[Rows, Vectors]]) -> Any:
    """A copy with further vectors: others may be searching the graph."""
    return _grow(faiss.clone_index(graph), pages)


def _grow(graph: Any, pages: Iterable[tuple[Rows, Vectors]]) -> Any:
    faiss.omp_set_num_threads(ALL_THREADS)
    for rows, vectors in pages:
        graph.add_with_ids(vectors, rows)
    return graph


def save_graph(file: Path, graph: Any) -> Graph:
    """Put it in the place of the one before, and say what the tables are to know about it."""
    beside, digest = file.with_name(f".{file.name}.new"), hashlib.sha256()
    try:
        with beside.open("wb") as opened:

            def write(block: bytes) -> None:
                digest.update(block)
                opened.write(block)

            # not by its name: FAISS says only on stderr that the disk was full when it closed the file
            writer = faiss.PyCallbackIOWriter(write, _BLOCK_BYTES)  # type: ignore[attr-defined]
            faiss.write_index(graph, writer)
            opened.flush()
            os.fsync(opened.fileno())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    flush_folder(file.parent)
    return Graph(digest.hexdigest(), graph.ntotal, int(graph.id_map.at(graph.ntotal - 1)))


def is_whole(file: Path, known: Graph) -> bool:
    """Whether the file is the one that the tables know."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == known.digest
    except FileNotFoundError:
        return False


def load_graph(file: Path, known: Graph) -> Segment | None:
    """None when there is none, or none that can be used."""
    if not known.digest:
        return None
    try:
        with file.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() == known.digest:
                # by its descriptor: another file may just be taking its place
                return Segment.of_graph(faiss.read_index(f"/dev/fd/{opened.fileno()}"))
            reason = "is not what was written"
    except FileNotFoundError:
        reason = "is missing"
    except RuntimeError as error:  # a later version of the library wrote it
        reason = f"cannot be read by FAISS {faiss.__version__} ({error}), remove it"
    _LOG.warning("%s %s; until the next publication all vectors are compared", file, reason)
    return None
