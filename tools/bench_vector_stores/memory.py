"""The memory of processes, as Linux tells it in /proc."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

_EVERY_S = 0.05


def memory_mb(process: int | str = "self") -> dict[str, float]:
    """``VmRSS`` is all of it, ``RssAnon`` what is no file's, ``VmHWM`` the most of all that there ever was.

    Not the peak of ``getrusage``: a process starts with that of its parent there.
    """
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    lines = (line.split() for line in status.splitlines() if line.endswith(" kB"))
    return {name.rstrip(":"): int(kilobytes) / 1024 for name, kilobytes, _ in lines}


def family_mb(process: int) -> dict[str, float]:
    """The sums over a process and all below it, also those that have a session of their own."""
    sums = dict.fromkeys(("VmRSS", "RssAnon"), 0.0)
    for one in _family(process):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            found = memory_mb(one)
            sums = {name: mb + found.get(name, 0.0) for name, mb in sums.items()}
    return sums


class PeakMemory:
    """The most that a process and those below it had together while the block ran; short peaks go unseen."""

    def __init__(self, process: int) -> None:
        self.mb = 0.0
        self._process = process
        self._stop = Event()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self.mb = max(self.mb, family_mb(self._process)["VmRSS"])


def _family(process: int) -> Iterator[int]:
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in children.read_text(encoding="ascii").split():
                yield from _family(int(child))
