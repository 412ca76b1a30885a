"""Connections to the database of a FAISS collection."""

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_BUSY_TIMEOUT_S = 5.0  # nobody holds a lock for longer than one small transaction
_PRIMARY_CODE = 0xFF  # the rest of an extended SQLite code says where it happened


def identity(file: Path) -> tuple[int, int]:
    """Which file it is: one that took its place has another. Raises FileNotFoundError."""
    stat = file.stat()
    return stat.st_dev, stat.st_ino


def connect_to_write(file: Path) -> sqlite3.Connection:
    """Readers go on beside a write-ahead log, and each commit is on the disk when it returns."""
    db = sqlite3.connect(
        file, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    return db


def close_writer(db: sqlite3.Connection) -> None:
    """Leave the database in one file where nobody else has it open: reading such a one creates no other."""
    db.execute("PRAGMA busy_timeout = 0")
    try:
        db.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
    finally:
        db.close()


class ReadConnections:
    """Connections that cannot write, each used by one reader at a time and kept for the next."""

    def __init__(self, file: Path) -> None:
        self.identity = identity(file)
        self._file = file
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """Raises FileNotFoundError when the database was dropped."""
        try:
            db = self._idle.pop()
        except IndexError:
            db = self._open()
        try:
            yield db
        finally:
            db.rollback()
            self._idle.append(db)
            if self._closed:
                self.close()

    def close(self) -> None:
        """Those that are lent are closed when they come back."""
        self._closed = True
        with suppress(IndexError):  # none is left, or another thread took the last one
            while True:
                self._idle.pop().close()

    def _open(self) -> sqlite3.Connection:
        try:
            db = self._connected("ro")
        except sqlite3.Error as error:
            self._check_identity()
            if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_READONLY:
                raise
            # a writer was killed in the middle of a commit; who can write undoes that, under SQLite's own locks
            self._connected("rw").close()
            db = self._connected("ro")
        self._check_identity()
        return db

    def _connected(self, mode: str) -> sqlite3.Connection:
        with ExitStack() as failed:
            db = sqlite3.connect(
                f"{self._file.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=_BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            failed.callback(db.close)
            db.execute("SELECT 1 FROM store").fetchone()  # from now on it has all its files open
            failed.pop_all()
        return db

    def _check_identity(self) -> None:
        if identity(self._file) != self.identity:
            raise FileNotFoundError(self._file)
