"""Starts and ends a browser's processes; nothing of them outlives the crawler."""

import contextlib
import fcntl
import logging
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

_KEEPER = Path(__file__).with_name("browser_keeper.py")
_PREFIX = "rag-llm-system-browser-"
_LOCK = "in-use"
_START_TIMEOUT_S = 30.0
_END_TIMEOUT_S = 15.0
_REMOVED_WITHIN_S = 5.0
_SURELY_OLD_S = 60.0  # a folder is locked within milliseconds after it was made
# What a browser needs of our environment; keys and passwords of the crawler are none of its business.
_ENVIRONMENT = re.compile(r"PATH|HOME|USER|LANG|LC_\w+|TZ|LD_LIBRARY_PATH|FONTCONFIG_\w+|XDG_\w+")

logger = logging.getLogger(__name__)


class BrowserFailed(Exception):
    """The browser did not start, or is gone; the text says why."""


class BrowserProcess:
    """A running ChromeDriver at ``port``, and whatever it starts.

    ``folder`` is theirs alone: the browser's profile goes there. ``max_memory_mb`` bounds all processes together
    (Linux): over it they are ended, and ``verdict`` is "memory". Raises BrowserFailed when it does not start.
    """

    def __init__(self, driver: str, *, max_memory_mb: int) -> None:
        remove_stale_folders()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._ending = threading.Lock()
        self._said = b""
        asked, self._ask = os.pipe()
        self._answers, answer = os.pipe()
        with (self.folder / _LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._keeper = subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, "-I", "-S", _KEEPER, self.folder, str(max_memory_mb), driver],
                stdin=asked,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                pass_fds=[lock.fileno()],  # held as long as the keeper lives, and not by the driver
                env=_environment(self.folder),
                start_new_session=True,  # Ctrl-C is for the crawler, which then ends this in order
            )
        os.close(asked)
        os.close(answer)
        try:
            self.port = self._started()
        except BrowserFailed:
            self.stop()
            raise

    @property
    def verdict(self) -> str:
        """What the keeper gave as its reason to end the browser, or ""."""
        with self._ending:
            self._listen(0.0)
        return "memory" if b"memory\n" in self._said else ""

    def is_running(self) -> bool:
        return self._keeper.poll() is None

    def stop(self) -> None:
        """Ends all processes at once and removes the folder; returns when both are gone. May be called again."""
        with self._ending:
            if self._ask < 0:
                return
            with contextlib.suppress(BrokenPipeError):  # it has ended already
                os.write(self._ask, b"stop")  # a process forked from ours may keep the pipe open
            os.close(self._ask)
            self._ask = -1
            try:
                self._keeper.wait(_END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                logger.warning("the browser's processes did not end in time; killing their keeper")
                self._keeper.kill()
                self._keeper.wait()
            self._listen(0.0)
            os.close(self._answers)
            self._answers = -1
            if self._keeper.returncode:
                _end_orphans(self.folder)
            if not _is_removed(self.folder):
                logger.warning("%s could not be removed yet; it will be later", self.folder)

    def _started(self) -> int:
        give_up_at = time.monotonic() + _START_TIMEOUT_S
        while b"\n" not in self._said and time.monotonic() < give_up_at:
            if not self._listen(give_up_at - time.monotonic()):
                break
        line = self._said.decode(errors="replace").strip()
        found = re.match(r"port (\d+)", line)
        if not found:
            reason = line.removeprefix("failed: ") or "no word from it"
            raise BrowserFailed(f"the browser's driver did not start: {reason}")
        return int(found[1])

    def _listen(self, timeout_s: float) -> bool:
        """Takes in what the keeper says; False when that is nothing."""
        if self._answers < 0:
            return False
        ready, _, _ = select.select([self._answers], [], [], timeout_s)
        piece = os.read(self._answers, 65_536) if ready else b""
        self._said += piece
        return bool(piece)


def remove_stale_folders() -> None:
    """Removes the folders of browsers whose keeper was killed before it could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if _is_stale(folder):
            _is_removed(folder)


def _is_removed(folder: Path) -> bool:
    """Removes the folder, its lock last: by that it is known to a later run, should something be left."""
    give_up_at = time.monotonic() + _REMOVED_WITHIN_S
    while folder.exists():
        left = 0
        for path in list(folder.glob("*")) + list(folder.glob(".*")):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _LOCK:
                path.unlink(missing_ok=True)
            left += path.name != _LOCK and path.exists()
        if not left:
            shutil.rmtree(folder, ignore_errors=True)
        if time.monotonic() > give_up_at:
            return False
    return True


def _end_orphans(folder: Path) -> None:
    """Ends what a killed keeper could not: processes that were given the folder by argument or environment (Linux)."""
    mark = os.fsencode(folder)
    give_up_at = time.monotonic() + _REMOVED_WITHIN_S
    while time.monotonic() < give_up_at:
        told = [path for path in Path("/proc").glob("[0-9]*") if mark in _told(path)]
        if not told:
            return
        for path in told:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(path.name), signal.SIGKILL)
        time.sleep(0.02)


def _told(process: Path) -> bytes:
    told = b""
    for name in ("cmdline", "environ"):
        with contextlib.suppress(OSError):  # it has ended, or hides its environment
            told += (process / name).read_bytes()
    return told


def _is_stale(folder: Path) -> bool:
    try:
        facts = folder.lstat()
        if facts.st_uid != os.geteuid() or time.time() - facts.st_mtime < _SURELY_OLD_S:
            return False
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # in use, or removed by another crawler meanwhile
        return False
    return True


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if _ENVIRONMENT.fullmatch(name)}
    if sys.platform == "linux":  # elsewhere the path may be too long for the browser's sockets
        kept["TMPDIR"] = str(folder)
    return kept
