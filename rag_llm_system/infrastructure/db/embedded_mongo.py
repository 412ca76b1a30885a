"""Document store on an embedded MongoDB-compatible server, for when no DATABASE_HOST is set.

All processes of one data folder share one server. The first store starts it; it ends after the last one,
however that one's process ended. `embedded_mongo_folder.py` says how they find one another.
"""

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rag_llm_system.domain.crawling import CrawlRun, LinkState
from rag_llm_system.domain.documents import Author, Document, Source
from rag_llm_system.domain.errors import RagSystemError, StorageFull, StoreUnavailable
from rag_llm_system.domain.ports import SaveReport
from rag_llm_system.infrastructure.db.embedded_mongo_folder import (
    HOST,
    Endpoint,
    ServerFolder,
    try_lock,
)
from rag_llm_system.infrastructure.db.mongo import MongoDocumentStore
from rag_llm_system.infrastructure.db.mongo_errors import Server, start_failure

START_TIMEOUT_S = 20.0  # measured: under 1 s; a cold disk or a busy machine takes longer
POLL_S = 0.02
SMALLEST_START_BYTES = 1024 * 1024  # the engine's own files on an empty folder are about 100 KB
_SERVER_MODULE = "rag_llm_system.infrastructure.db.embedded_mongo_server"
_IMPORT_ROOT = Path(__file__).parents[3]  # from here `python -m` finds the module, installed or not


class EmbeddedMongoDocumentStore:
    """The data warehouse in ``<data_dir>/mongo``."""

    def __init__(self, data_dir: Path, database: str) -> None:
        """Start the server or join the one that runs.

        Raises StoreUnavailable, StoreCorrupt or StorageFull when there is none to be had.
        """
        folder = ServerFolder((data_dir / "mongo").absolute())
        server = _named(folder)
        with _os_errors_translated(server), ExitStack() as held:
            folder.path.mkdir(parents=True, exist_ok=True)
            held.callback(os.close, _lock(folder.clients_lock, server, shared=True))
            address = f"mongodb://{HOST}:{_running(folder, server).port}"
            self._store = MongoDocumentStore(address, database, server=server)
            held.callback(self._store.close)
            self._held = held.pop_all()

    def save_author(self, author: Author) -> None:
        self._store.save_author(author)

    def find_author(self, full_name: str) -> Author | None:
        return self._store.find_author(full_name)

    def authors(self) -> list[Author]:
        return self._store.authors()

    def save(self, documents: Iterable[Document]) -> SaveReport:
        return self._store.save(documents)

    def find(self, category: str, *, author_id: str | None = None) -> Iterator[Document]:
        return self._store.find(category, author_id=author_id)

    def ids_from(self, origin: str) -> list[tuple[str, str]]:
        return self._store.ids_from(origin)

    def source_of(self, category: str, link: str) -> Source | None:
        return self._store.source_of(category, link)

    def delete(self, category: str, ids: Sequence[str]) -> int:
        return self._store.delete(category, ids)

    def count(self, category: str, *, author_id: str | None = None) -> int:
        return self._store.count(category, author_id=author_id)

    def save_links(self, states: Iterable[LinkState]) -> None:
        self._store.save_links(states)

    def find_link(self, author_id: str, link: str) -> LinkState | None:
        return self._store.find_link(author_id, link)

    def links(
        self,
        *,
        author_id: str | None = None,
        crawl_id: str | None = None,
        found_in: str | None = None,
    ) -> Iterator[LinkState]:
        return self._store.links(author_id=author_id, crawl_id=crawl_id, found_in=found_in)

    def delete_links(self, ids: Sequence[str]) -> int:
        return self._store.delete_links(ids)

    def save_crawl(self, run: CrawlRun) -> None:
        self._store.save_crawl(run)

    def find_crawl(self, run_id: str) -> CrawlRun | None:
        return self._store.find_crawl(run_id)

    def close(self) -> None:
        self._held.close()


def status(data_dir: Path) -> Endpoint | None:
    """Where the server of a data folder listens; None when none runs."""
    folder = ServerFolder((data_dir / "mongo").absolute())
    server = _named(folder)
    if not folder.path.is_dir():
        return None
    with _os_errors_translated(server), ExitStack() as held:
        held.callback(os.close, _lock(folder.start_lock, server))
        lock = try_lock(folder.server_lock)
        if lock is None:
            return folder.endpoint()
        os.close(lock)
        return None


def _named(folder: ServerFolder) -> Server:
    return Server(
        name=f"embedded MongoDB in {folder.path}",
        if_silent=f"see {folder.log}, then run the command again",
        if_corrupt="move that folder away and run the ETL again, or put a backup in its place",
    )


def _running(folder: ServerFolder, server: Server) -> Endpoint:
    """Where the server listens; started first when its lock is free."""
    deadline, started = time.monotonic() + START_TIMEOUT_S, False
    with ExitStack() as held:
        held.callback(os.close, _lock(folder.start_lock, server))
        while time.monotonic() < deadline:
            lock = try_lock(folder.server_lock)
            if lock is not None and started:
                os.close(lock)
                raise _not_started(folder, server)
            if lock is not None:
                _start(folder, lock)
                started = True
            elif endpoint := folder.endpoint():
                return endpoint
            time.sleep(POLL_S)
    raise _too_slow(server, "did not start")


def _start(folder: ServerFolder, lock: int) -> None:
    """Start the server, which inherits ``lock``, in a session of its own: Ctrl-C is not for it."""
    try:
        folder.withdraw()
        with folder.log.open("wb") as log:
            subprocess.run(  # noqa: S603 - our own module, our own interpreter
                [sys.executable, "-m", _SERVER_MODULE, str(folder.path)],
                cwd=_IMPORT_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,
                check=False,  # a server that could not start has freed the lock
            )
    finally:
        os.close(lock)


def _not_started(folder: ServerFolder, server: Server) -> RagSystemError:
    # on a full disk it may die by a signal (SIGBUS in a memory-mapped file), without a word
    if shutil.disk_usage(folder.path).free < SMALLEST_START_BYTES:
        return _full(server)
    return start_failure(server, folder.last_log_line())


def _lock(path: Path, server: Server, *, shared: bool = False) -> int:
    deadline = time.monotonic() + START_TIMEOUT_S
    while (descriptor := try_lock(path, shared=shared)) is None:
        if time.monotonic() > deadline:
            raise _too_slow(server, f"did not free {path.name}")
        time.sleep(POLL_S)
    return descriptor


def _too_slow(server: Server, what: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{server.name} {what} within {START_TIMEOUT_S:g} s; {server.if_silent}"
    )


def _full(server: Server) -> StorageFull:
    return StorageFull(f"{server.name} has no room left on its disk; free some and run again")


@contextmanager
def _os_errors_translated(server: Server) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(server) from error
        raise StoreUnavailable(
            f"{server.name} cannot be opened ({error}); correct DATA_DIR or its permissions"
        ) from error
