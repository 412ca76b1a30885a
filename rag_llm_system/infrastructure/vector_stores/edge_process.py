"""The parent's side of the process that has one shard open (edge_worker.py)."""

import os
import pickle
import signal
import subprocess
import sys
import weakref
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock
from typing import IO, Any, cast

_MODULE = "rag_llm_system.infrastructure.vector_stores.edge_worker"


class EngineFailed(Exception):
    """What the engine said; ``fatal`` when it panicked, or its process ended, by ``ended_by`` if that was a signal."""

    def __init__(self, text: str, *, fatal: bool, ended_by: int = 0) -> None:
        super().__init__(text)
        self.fatal, self.ended_by = fatal, ended_by


class EngineProcess:
    """Calls methods of ``edge_engine.Engine``, one at a time, from any thread, without the interpreter lock.

    The process is killed when nobody has this object any more: a shard survives that at any moment.
    """

    def __init__(self, folder: Path, *, holding: int | None = None) -> None:
        """``folder``: where it runs. ``holding``: a file that it keeps open, such as a lock."""
        self._turn = Lock()
        lifeline, ours = os.pipe()
        with ExitStack() as failed:
            failed.callback(os.close, ours)
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own module, our own interpreter
                    [sys.executable, "-P", "-m", _MODULE, str(lifeline)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    cwd=folder,
                    env=_environment(),
                    pass_fds=(lifeline,) if holding is None else (lifeline, holding),
                    start_new_session=True,  # Ctrl-C at the terminal is not for it
                )
            finally:
                os.close(lifeline)
            failed.pop_all()
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        weakref.finalize(self, _end, self._process, ours, os.getpid())

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """What the engine answers. Raises EngineFailed."""
        request = pickle.dumps((method, args, kwargs), pickle.HIGHEST_PROTOCOL)
        with self._turn, ExitStack() as interrupted:
            # whatever ends an exchange half-way, the next answer would be taken for another question's
            interrupted.callback(self._process.kill)
            try:
                self._requests.write(request)
                self._requests.flush()
                failure, answer = pickle.load(self._answers)  # noqa: S301 - from our own process
            except (OSError, EOFError, pickle.UnpicklingError) as error:
                raise self._ended() from error
            interrupted.pop_all()
        if failure is not None:
            text, panicked = failure
            raise EngineFailed(text, fatal=panicked)
        return answer

    def kill(self) -> None:
        """End it now, whoever waits for it; what it acknowledged is in its files."""
        self._process.kill()
        self._process.wait()

    def _ended(self) -> EngineFailed:
        self._process.kill()  # nothing, if it has ended by itself
        status = self._process.wait()
        if status >= 0:
            return EngineFailed(f"its process ended with status {status}", fatal=True)
        name = signal.Signals(-status).name
        return EngineFailed(f"its process was ended by {name}", fatal=True, ended_by=-status)


def _end(process: "subprocess.Popen[bytes]", lifeline: int, owner: int) -> None:
    if os.getpid() == owner:  # a forked copy of the owner lets go of its ends only
        process.kill()
        process.wait()
    os.close(lifeline)
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # half a request may wait in the buffer, for a process that is gone
            cast(IO[bytes], pipe).close()


def _environment() -> dict[str, str]:
    """What Python needs to find the same modules, and nothing of ours: no settings, no secrets."""
    path = [entry or str(Path.cwd()) for entry in sys.path]
    return {"PYTHONPATH": os.pathsep.join(path), "PATH": os.defpath, "LANG": "C.UTF-8"}
