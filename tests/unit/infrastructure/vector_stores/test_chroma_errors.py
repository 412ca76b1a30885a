"""The border to Chroma: whatever it, its database or the disk raises becomes one of our errors."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromadb.errors import ChromaError, InternalError

from rag_llm_system.domain.errors import (
    BackendError,
    DataError,
    RagSystemError,
    StorageFull,
    StoreCorrupt,
)
from rag_llm_system.infrastructure.vector_stores.chroma_errors import ChromaErrors

FOLDER = Path("/data/chroma")


class PanicException(BaseException):
    """As a Rust panic arrives in Python: no Exception at all, and of a class that the engine does not export."""


def vendor_errors(cls: type[ChromaError] = ChromaError) -> Iterator[type[ChromaError]]:
    for one in cls.__subclasses__():
        yield one
        yield from vendor_errors(one)


@pytest.mark.parametrize("kind", list(vendor_errors()), ids=lambda kind: kind.__name__)
def test_every_error_of_chroma_has_a_translation(kind: type[ChromaError]) -> None:
    with pytest.raises(RagSystemError, match=r"/data/chroma.*as it says"), ChromaErrors(FOLDER):
        raise kind("as it says")


@pytest.mark.parametrize(
    ("raised", "ours"),
    [
        (InternalError("Query error: (code: 13) database or disk is full"), StorageFull),
        (InternalError("error returned from database: (code: 26) file is not a database"), StoreCorrupt),
        (InternalError("(code: 11) database disk image is malformed"), StoreCorrupt),
        (InternalError("something else"), BackendError),
        (sqlite3.DatabaseError("file is not a database"), StoreCorrupt),
        (sqlite3.OperationalError("database is locked"), BackendError),
        (PanicException("called `Option::unwrap()` on a `None` value"), StoreCorrupt),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), StorageFull),
        (PermissionError(errno.EACCES, "Permission denied", "/data/chroma/writer.lock"), BackendError),
    ],
)  # fmt: skip
def test_what_went_wrong_is_said_in_our_words(
    raised: BaseException, ours: type[BackendError]
) -> None:
    with pytest.raises(BackendError) as caught, ChromaErrors(FOLDER):
        raise raised

    assert type(caught.value) is ours
    assert "/data/chroma" in str(caught.value)
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize("ours", [DataError("bad point"), KeyboardInterrupt()])
def test_other_errors_pass(ours: BaseException) -> None:
    with pytest.raises(type(ours)) as caught, ChromaErrors(FOLDER):
        raise ours

    assert caught.value is ours
