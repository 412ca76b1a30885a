"""What encoders made of texts, kept in one SQLite file."""

import hashlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TypeVar

from rag_llm_system.domain.errors import BackendError, StorageFull
from rag_llm_system.domain.ports import Embedder, Role, encoder_name

T = TypeVar("T")
_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    text BLOB NOT NULL,       -- sha256 of the text
    encoder BLOB NOT NULL,    -- of what else decides the vector
    used INTEGER NOT NULL,    -- the day it was last asked for, counted from 1970
    vector BLOB NOT NULL,
    UNIQUE (text, encoder)
);
CREATE INDEX IF NOT EXISTS by_use ON vectors (used);
"""
_WAIT_S = 30.0  # for another process that is writing; none writes longer than a batch takes
_AT_ONCE = 500  # texts in one statement; builds of SQLite differ in how many parameters they take
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_KEPT = 0.9  # of the limit, so that not every insertion must make room
_DAY_S = 86_400


class VectorFile:
    """Bytes by a text and the encoder that made them of it; only digests of both are in the file.

    Several processes and threads may share the file, and one that is killed leaves it whole. It loses what was not used
    for longest when it grows over ``limit_mb``. Damage costs what was stored, one warning, and no run. ``name`` and
    ``setting``, which holds the limit, are for messages.
    """

    def __init__(self, path: Path, *, limit_mb: int, name: str, setting: str) -> None:
        self._path, self._limit = path, limit_mb * 1_000_000
        self._name, self._setting = name, setting
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def found(self, encoder: bytes, texts: Iterable[str]) -> Mapping[str, bytes]:
        """What is there of these texts; remembers that it was asked for, once a day."""
        keys = {digest(text): text for text in texts}
        rows = self._with_store(lambda store: _found(store, encoder, keys))
        return {keys[key]: vector for key, vector in rows.items()}

    def put(self, encoder: bytes, vectors: Mapping[str, bytes]) -> None:
        rows = {digest(text): vector for text, vector in vectors.items()}
        self._with_store(lambda store: _put(store, encoder, rows, self._limit))

    def forget(self, texts: Iterable[str]) -> int:
        """Remove what any encoder made of these texts, from the disk as well; how much there was."""
        keys = [digest(text) for text in texts]
        return self._with_store(lambda store: _forget(store, keys))

    def close(self) -> None:
        with self._lock:
            if self._connection:
                self._connection.close()
                self._connection = None

    def _with_store(self, use: Callable[[sqlite3.Connection], T]) -> T:
        """What ``use`` gives; where the file turns out damaged, what it gives with an empty one."""
        with self._lock:
            try:
                return self._used(use)
            except sqlite3.DatabaseError as error:
                if _kind(error) not in _DAMAGE:
                    raise self._translated(error) from error
            self._set_aside()
            try:
                return self._used(use)
            except sqlite3.DatabaseError as error:
                raise self._translated(error) from error

    def _used(self, use: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self._path, timeout=_WAIT_S, check_same_thread=False, isolation_level=None
            )
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute("PRAGMA secure_delete=ON")
            self._connection.executescript(_SCHEMA)
        return use(self._connection)

    def _set_aside(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None
        aside = next(
            p for n in count(1) if not (p := self._path.with_suffix(f".damaged-{n}")).exists()
        )
        _log.warning(
            "the %s %s is damaged; it is now %s, a new one begins", self._name, self._path, aside
        )
        with suppress(FileNotFoundError):  # another process did the same just now
            self._path.rename(aside)
        for end in ("-wal", "-shm"):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)

    def _translated(self, error: sqlite3.DatabaseError) -> BackendError:
        if _kind(error) == sqlite3.SQLITE_FULL:
            return StorageFull(f"the disk is full; the {self._name} {self._path} could not grow")
        return BackendError(
            f"the {self._name} {self._path} cannot be used ({error}); {self._setting}=0 goes without"
        )


def encoder_key(embedder: Embedder, role: Role, *form: str) -> bytes:
    """Of its name, the role, and its ``engine`` where it has one: what makes other bytes of the same weights, such as
    the number format. ``form`` is how they are written, where there is more than one way."""
    engine = getattr(embedder, "engine", "")
    return digest("\n".join((encoder_name(embedder), engine, role, *form)))


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _found(
    store: sqlite3.Connection, encoder: bytes, keys: Iterable[bytes]
) -> Mapping[bytes, bytes]:
    today = int(time.time() // _DAY_S)
    found: dict[bytes, bytes] = {}
    older: list[bytes] = []
    for some, marks in _in_parts(keys):
        rows = store.execute(
            f"SELECT text, used, vector FROM vectors WHERE encoder = ? AND text IN ({marks})",  # noqa: S608 - marks
            (encoder, *some),
        ).fetchall()
        found.update((key, vector) for key, _, vector in rows)
        older += [key for key, used, _ in rows if used < today]
    for some, marks in _in_parts(older):
        store.execute(
            f"UPDATE vectors SET used = ? WHERE encoder = ? AND text IN ({marks})",  # noqa: S608 - marks
            (today, encoder, *some),
        )
    return found


def _put(
    store: sqlite3.Connection, encoder: bytes, vectors: Mapping[bytes, bytes], limit: int
) -> None:
    today = int(time.time() // _DAY_S)
    rows = [(key, encoder, today, vector) for key, vector in vectors.items()]
    with store:
        store.execute("BEGIN IMMEDIATE")
        store.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)
        _make_room(store, limit)


def _make_room(store: sqlite3.Connection, limit: int) -> None:
    """Remove the rows used longest ago when the pages in use are more than ``limit`` bytes."""
    size, pages, free = (
        store.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_size", "page_count", "freelist_count")
    )
    used = size * (pages - free)
    if used > limit:
        (rows,) = store.execute("SELECT count(*) FROM vectors").fetchone()
        store.execute(
            "DELETE FROM vectors WHERE rowid IN (SELECT rowid FROM vectors ORDER BY used, rowid LIMIT ?)",
            (int(rows * (1 - _KEPT * limit / used)) + 1,),
        )


def _forget(store: sqlite3.Connection, keys: Sequence[bytes]) -> int:
    removed = 0
    for some, marks in _in_parts(keys):
        removed += store.execute(f"DELETE FROM vectors WHERE text IN ({marks})", some).rowcount  # noqa: S608 - marks
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # or the journal would keep them for a while
    return removed


def _in_parts(keys: Iterable[bytes]) -> Iterator[tuple[tuple[bytes, ...], str]]:
    """Keys in portions, each with its question marks."""
    every = tuple(keys)
    for start in range(0, len(every), _AT_ONCE):
        some = every[start : start + _AT_ONCE]
        yield some, ",".join("?" * len(some))


def _kind(error: sqlite3.DatabaseError) -> int:
    """SQLite's primary result code; 0 for what Python found wrong."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
