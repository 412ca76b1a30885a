"""The lock that makes one process the writer of a folder, and says which one it is."""

import fcntl
import json
import os
import shlex
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from rag_llm_system.domain.errors import StoreLocked

_ENDING_S = 5.0  # for the child processes of a holder that was killed
_PAUSE_S = 0.01
_COMMAND_CHARS = 200  # enough to recognise a command; `python -c` can carry a whole program


class OwnerLock:
    """An exclusive lock on a file that holds its owner's process id, host, command and start as JSON.

    The operating system frees it when the process ends, however it ends.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    @property
    def held(self) -> bool:
        return self._file is not None

    @property
    def descriptor(self) -> int | None:
        """Held open by child processes that write on the owner's behalf: nobody gets the lock before they end."""
        return self._file.fileno() if self._file is not None else None

    def acquire(self) -> None:
        """Nothing when held already. Raises StoreLocked naming the holder, without waiting for one that lives."""
        if self._file is not None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        give_up = time.monotonic() + _ENDING_S
        with ExitStack() as refused:
            file = refused.enter_context(self._path.open("a+", encoding="utf-8"))
            while not _locked(file):
                holder = _holder(file)
                if _lives(holder) or time.monotonic() > give_up:
                    raise StoreLocked(
                        f"{self._path.parent} is being written by {_described(holder)}; wait until it ends, "
                        "or stop it (searching works meanwhile)"
                    )
                time.sleep(_PAUSE_S)
            refused.pop_all()
        _rewrite(file, json.dumps(_myself()))
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            _rewrite(self._file, "")
            fcntl.flock(self._file, fcntl.LOCK_UN)  # also for a forked child that has the file open
            self._file.close()
            self._file = None


def _rewrite(file: TextIO, text: str) -> None:
    file.truncate(0)
    file.write(text)
    file.flush()


def _myself() -> dict[str, str | int]:
    command = shlex.join(sys.orig_argv)
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "command": command if len(command) <= _COMMAND_CHARS else command[:_COMMAND_CHARS] + "...",
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: TextIO) -> Mapping[str, Any]:
    """What the holder wrote about itself; nothing when it took the lock a moment ago and has not signed yet."""
    file.seek(0)
    try:
        owner = json.loads(file.read())
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) and owner.keys() >= _myself().keys() else {}


def _lives(holder: Mapping[str, Any]) -> bool:
    """False when it is known to be gone: then its child processes have the lock, and are ending."""
    if not holder or holder["host"] != socket.gethostname():
        return True
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _described(holder: Mapping[str, Any]) -> str:
    if not holder:
        return "another process"
    return (
        f"process {holder['pid']} on {holder['host']} since {holder['since']} ({holder['command']})"
    )
