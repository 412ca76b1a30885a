"""The border to the embedded engine: whatever it or the disk raises becomes one of our errors."""

import errno
import os
from pathlib import Path

import pytest

from rag_llm_system.domain.errors import (
    BackendError,
    DataError,
    StorageFull,
    StoreCorrupt,
    StoreLocked,
)
from rag_llm_system.infrastructure.vector_stores.edge_errors import EdgeErrors

COLLECTION = Path("/data/qdrant/articles")


class PanicException(BaseException):
    """As a Rust panic arrives in Python: no Exception at all, and of a class that the engine does not export."""


def engine(text: str) -> Exception:
    return Exception(text)  # the engine raises nothing more specific


@pytest.mark.parametrize(
    ("raised", "ours"),
    [
        (engine("Service runtime error: wrong type"), BackendError),
        (engine("Service runtime error: No space left on device (os error 28)"), StorageFull),
        (engine("failed to open WAL: Can't init WAL: Kind(WouldBlock)"), StoreLocked),
        (PanicException("called `Option::unwrap()` on a `None` value"), StoreCorrupt),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/x"), StorageFull),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/data/x"), BackendError),
    ],
)
def test_an_error_of_engine_or_disk_becomes_ours(
    raised: BaseException, ours: type[BackendError]
) -> None:
    with pytest.raises(BackendError) as translated, EdgeErrors(COLLECTION):
        raise raised

    assert type(translated.value) is ours
    assert translated.value.__cause__ is raised
    assert "/data/" in str(translated.value)
    assert "\n" not in str(translated.value)


def test_what_cannot_be_opened_is_corrupt_and_can_be_rebuilt() -> None:
    with (
        pytest.raises(StoreCorrupt, match=f"move the folder {COLLECTION} away"),
        EdgeErrors(COLLECTION, opening=True),
    ):
        raise engine("cannot read segment")


@pytest.mark.parametrize("raised", [DataError("ours"), KeyboardInterrupt(), TypeError("a bug")])
def test_everything_else_passes_unchanged(raised: BaseException) -> None:
    with pytest.raises(type(raised)) as passed, EdgeErrors(COLLECTION):
        raise raised

    assert passed.value is raised
