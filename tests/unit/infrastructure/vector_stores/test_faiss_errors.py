"""The border to FAISS, SQLite and the disk: whatever they raise becomes one of our errors."""

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import faiss
import pytest

from rag_llm_system.domain.errors import (
    BackendError,
    DataError,
    StorageFull,
    StoreCorrupt,
    StoreLocked,
)
from rag_llm_system.infrastructure.vector_stores.faiss_errors import FAISSErrors

COLLECTION = Path("/data/faiss/articles")


def of_sqlite(code: int, text: str = "as SQLite says it") -> sqlite3.Error:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("raised", "ours"),
    [
        (of_sqlite(sqlite3.SQLITE_FULL), StorageFull),
        (of_sqlite(sqlite3.SQLITE_BUSY), StoreLocked),
        (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), StoreLocked),
        (of_sqlite(sqlite3.SQLITE_LOCKED), StoreLocked),
        (of_sqlite(sqlite3.SQLITE_CORRUPT), StoreCorrupt),
        (of_sqlite(sqlite3.SQLITE_CORRUPT_INDEX), StoreCorrupt),
        (of_sqlite(sqlite3.SQLITE_NOTADB), StoreCorrupt),
        (of_sqlite(sqlite3.SQLITE_IOERR_READ), BackendError),
        (of_sqlite(sqlite3.SQLITE_CANTOPEN), BackendError),
        (of_sqlite(sqlite3.SQLITE_READONLY), BackendError),
        (RuntimeError("Error in faiss::x at y.cpp:1: write error: 1 != 2 (No space left on device)"), StorageFull),
        (RuntimeError("Error in faiss::x at y.cpp:1: index must be\nempty"), BackendError),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/x"), StorageFull),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), StorageFull),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/data/x"), BackendError),
        *[
            (kind("bad"), BackendError)
            for kind in (
                sqlite3.Error, sqlite3.InterfaceError, sqlite3.DatabaseError, sqlite3.DataError,
                sqlite3.OperationalError, sqlite3.IntegrityError, sqlite3.InternalError,
                sqlite3.ProgrammingError, sqlite3.NotSupportedError,
            )
        ],
    ],
)  # fmt: skip
def test_an_error_of_a_library_or_the_disk_becomes_ours(
    raised: Exception, ours: type[BackendError]
) -> None:
    with pytest.raises(BackendError) as translated, FAISSErrors(COLLECTION):
        raise raised

    assert type(translated.value) is ours
    assert translated.value.__cause__ is raised
    assert "/data/" in str(translated.value)
    assert "\n" not in str(translated.value)


def test_no_exception_of_sqlite_is_forgotten_above() -> None:
    kinds = {
        value
        for value in vars(sqlite3).values()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert {kind for kind in kinds if not issubclass(kind, sqlite3.Error)} == {sqlite3.Warning}
    assert len(kinds) == 10  # the nine above and the warning, which nothing raises


def fill_a_database(folder: Path) -> None:
    db = sqlite3.connect(folder / "full.db")
    db.execute("PRAGMA max_page_count = 2")
    db.executescript("CREATE TABLE a (b); CREATE TABLE c (d)")


def read_what_is_no_database(folder: Path) -> None:
    (folder / "text.db").write_text("no database" * 100, encoding="utf-8")
    sqlite3.connect(folder / "text.db").execute("SELECT * FROM sqlite_master")


def write_beside_a_writer(folder: Path) -> None:
    first = sqlite3.connect(folder / "busy.db")
    first.execute("BEGIN IMMEDIATE")
    sqlite3.connect(folder / "busy.db", timeout=0).execute("BEGIN IMMEDIATE")


def fill_the_disk(_: Path) -> None:
    with Path("/dev/full").open("wb", buffering=0) as disk:
        writer = faiss.PyCallbackIOWriter(disk.write)  # type: ignore[attr-defined]
        faiss.write_index(faiss.IndexFlatIP(4), writer)


def read_what_is_no_index(_: Path) -> None:
    faiss.read_index("/dev/null")


@pytest.mark.parametrize(
    ("act", "ours"),
    [
        (fill_a_database, StorageFull),
        (read_what_is_no_database, StoreCorrupt),
        (write_beside_a_writer, StoreLocked),
        (fill_the_disk, StorageFull),
        (read_what_is_no_index, BackendError),
    ],
)
def test_the_libraries_still_raise_what_the_table_says(
    tmp_path: Path, act: Callable[[Path], None], ours: type[BackendError]
) -> None:
    with pytest.raises(BackendError) as translated, FAISSErrors(tmp_path):
        act(tmp_path)

    assert type(translated.value) is ours


def test_what_is_damaged_can_be_rebuilt() -> None:
    with (
        pytest.raises(StoreCorrupt, match=f"move the folder {COLLECTION} away"),
        FAISSErrors(COLLECTION),
    ):
        raise of_sqlite(sqlite3.SQLITE_CORRUPT)


@pytest.mark.parametrize(
    "raised", [DataError("ours"), KeyboardInterrupt(), TypeError("a bug"), RuntimeError("a bug")]
)
def test_everything_else_passes_unchanged(raised: BaseException) -> None:
    with pytest.raises(type(raised)) as passed, FAISSErrors(COLLECTION):
        raise raised

    assert passed.value is raised
