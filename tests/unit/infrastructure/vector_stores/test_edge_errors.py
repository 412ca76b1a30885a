"""The border to the embedded engine: whatever it or the disk raises becomes one of our errors."""

import errno
import os
import signal
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
from rag_llm_system.infrastructure.vector_stores.edge_process import EngineFailed

COLLECTION = Path("/data/qdrant/articles")


def engine(text: str, *, fatal: bool = False, ended_by: int = 0) -> EngineFailed:
    return EngineFailed(text, fatal=fatal, ended_by=ended_by)


@pytest.mark.parametrize(
    ("raised", "ours"),
    [
        (engine("Service runtime error: wrong type"), BackendError),
        (engine("Service runtime error: No space left on device (os error 28)"), StorageFull),
        (engine("failed to open WAL: Can't init WAL: Kind(WouldBlock)"), StoreLocked),
        (engine("called `Option::unwrap()` on a `None` value", fatal=True), StoreCorrupt),
        (engine("ended by SIGABRT", fatal=True, ended_by=signal.SIGABRT), StoreCorrupt),
        (engine("ended by SIGBUS", fatal=True, ended_by=signal.SIGBUS), StorageFull),
        (engine("ended by SIGKILL", fatal=True, ended_by=signal.SIGKILL), BackendError),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/x"), StorageFull),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/data/x"), BackendError),
    ],
)
def test_an_error_of_engine_or_disk_becomes_ours(
    raised: Exception, ours: type[BackendError]
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


def test_an_engine_that_was_killed_while_it_opened_a_shard_found_no_damage() -> None:
    with pytest.raises(BackendError) as translated, EdgeErrors(COLLECTION, opening=True):
        raise engine("its process was ended by SIGKILL", fatal=True, ended_by=signal.SIGKILL)

    assert type(translated.value) is BackendError
    assert "memory" in str(translated.value)


@pytest.mark.parametrize("raised", [DataError("ours"), KeyboardInterrupt(), TypeError("a bug")])
def test_everything_else_passes_unchanged(raised: BaseException) -> None:
    with pytest.raises(type(raised)) as passed, EdgeErrors(COLLECTION):
        raise raised

    assert passed.value is raised
