"""The process between the crawler and its browser: starts ChromeDriver, and ends everything when either is gone.

Run as a script with the standard library only, so that it starts in milliseconds:
``python -I -S browser_keeper.py PROFILE MAX_MEMORY_MB CHROMEDRIVER``. It says ``port N``, or ``failed: WHY``, and
later perhaps ``memory``, on its standard output; anything on its standard input, or the end of it, asks it to
stop: that comes by itself when the crawler dies, however it dies. In the end no process of the browser is left,
and the folder PROFILE is gone.

A process of its own because a child's PR_SET_PDEATHSIG (Linux) fires when the *thread* that started it ends, which in
a crawler may be any worker; and because the browser's orphans need somebody who adopts and reaps them.
"""

import contextlib
import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

_LINUX = sys.platform == "linux"
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
_LOOK_EVERY_S = 0.5
_KILLED_WITHIN_S = 8.0
_PORT = re.compile(rb"started successfully on port (\d+)")
_KEPT_OUTPUT_BYTES = 4_000


def main(profile: str, max_memory_mb: str, driver: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if _LINUX:
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        _keep(driver, int(max_memory_mb) * 1024 * 1024)
    finally:
        _end_all()
        shutil.rmtree(profile, ignore_errors=True)  # the crawler looks after it once more


def _keep(driver: str, max_memory_bytes: int) -> None:
    parent = os.getppid()
    output_end, driver_end = os.pipe()
    try:
        child = subprocess.Popen(  # noqa: S603 - the driver that the operator named or installed
            [driver, "--port=0"],
            stdin=subprocess.DEVNULL,
            stdout=driver_end,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent,  # safe here: this process has one thread
            process_group=0,
        )
    except OSError as error:
        _say(f"failed: {error.strerror}")
        return
    os.close(driver_end)
    output, started = b"", False
    while os.getppid() == parent and not _reaped(child.pid):
        readable, _, _ = select.select([0, output_end], [], [], _LOOK_EVERY_S)
        if 0 in readable:
            return
        if output_end in readable:
            piece = os.read(output_end, 65_536)
            output = output[-_KEPT_OUTPUT_BYTES:] + piece
            if not piece:
                break
        if not started and (found := _PORT.search(output)):
            started = True
            _say(f"port {int(found[1])}")
        if max_memory_bytes and _memory_bytes() > max_memory_bytes:
            _say("memory")
            return
    if not started:
        while select.select([output_end], [], [], 0.1)[0] and (
            piece := os.read(output_end, 65_536)
        ):
            output += piece
        last = output.decode(errors="replace").strip().rpartition("\n")[2]
        _say(f"failed: {last or 'it ended at once'}")


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        os.write(1, line.encode() + b"\n")


def _die_with_parent() -> None:
    """In the driver, before it runs: it is killed when this process is, and the browser then sees its pipe end."""
    if _LINUX:
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _reaped(driver: int) -> bool:
    """Takes note of all children that ended; whether the driver, or every child, is among them."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid in {0, driver}:
            return pid == driver


def _end_all() -> None:
    """Kills until no child is left; what loses its parent meanwhile becomes a child of this process (Linux)."""
    give_up_at = time.monotonic() + _KILLED_WITHIN_S
    while time.monotonic() < give_up_at:
        for pid in _descendants():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if _reaped(-1):
            return
        time.sleep(0.01)


def _descendants() -> list[int]:
    if not _LINUX:
        return []
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):  # it ended meanwhile
                stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
                parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    found = [os.getpid()]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found[1:]


def _memory_bytes() -> int:
    """What the processes below this one hold, pages that files or other processes share counted once."""
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    own, shared = 0, 0
    for pid in _descendants():
        with contextlib.suppress(OSError):
            _, resident, common, *_ = (Path("/proc") / str(pid) / "statm").read_bytes().split()
            own += int(resident) - int(common)
            shared = max(shared, int(common))
    return (own + shared) * page_bytes


if __name__ == "__main__":
    main(*sys.argv[1:])
