"""The lock that makes one process the writer of a folder, and says which one it is."""

import fcntl
import json
import os
import shlex
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from rag_llm_system.domain.errors import StoreLocked

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

    def acquire(self) -> None:
        """Nothing when held already. Raises StoreLocked naming the holder, without waiting."""
        if self._file is not None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _holder(file)
            file.close()
            if not isinstance(error, BlockingIOError):
                raise
            raise StoreLocked(
                f"{self._path.parent} is being written by {holder}; wait until it ends, or stop it "
                "(searching works meanwhile)"
            ) from None
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


def _holder(file: TextIO) -> str:
    file.seek(0)
    try:
        owner = json.loads(file.read())
        return (
            f"process {owner['pid']} on {owner['host']} since {owner['since']} ({owner['command']})"
        )
    except (ValueError, KeyError):  # it took the lock a moment ago and has not signed yet
        return "another process"
