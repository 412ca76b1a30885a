"""The folder through which an embedded server and its clients find one another.

Three locks (flock: the kernel frees them however a process ends) say who is there:

- ``clients.lock``, shared: held by every client while its store is open; the server ends once it gets it exclusively.
- ``server.lock``, exclusive: held by the server from its birth to its death, so a free one means that none runs.
- ``start.lock``, exclusive: held while a client looks for the server, and starts it where there is none.

``server.json`` says where the server listens. It counts only while ``server.lock`` is held.
"""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

HOST = "127.0.0.1"  # the embedded server knows no passwords


@dataclass(frozen=True)
class Endpoint:
    """Where a server listens."""

    pid: int
    port: int


@dataclass(frozen=True)
class ServerFolder:
    """``path`` holds the databases (one SQLite file each) and the files named above."""

    path: Path

    @property
    def clients_lock(self) -> Path:
        return self.path / "clients.lock"

    @property
    def server_lock(self) -> Path:
        return self.path / "server.lock"

    @property
    def start_lock(self) -> Path:
        return self.path / "start.lock"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @property
    def _endpoint(self) -> Path:
        return self.path / "server.json"

    def publish(self, endpoint: Endpoint) -> None:
        """Written beside and moved into place: a reader sees all of it or nothing."""
        unfinished = self._endpoint.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(endpoint)), encoding="utf-8")
        unfinished.replace(self._endpoint)

    def withdraw(self) -> None:
        self._endpoint.unlink(missing_ok=True)

    def endpoint(self) -> Endpoint | None:
        try:
            return Endpoint(**json.loads(self._endpoint.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def last_log_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "no word in its log"


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """A file descriptor that holds the lock until it is closed, or None while others hold it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
