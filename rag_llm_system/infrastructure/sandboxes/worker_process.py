"""The parent's side of one worker process: start it, ask it within a time, end it."""

import os
import select
import subprocess
import sys
import time
from math import ceil
from pathlib import Path
from typing import IO, cast

from rag_llm_system.infrastructure.sandboxes.frames import (
    HEADER,
    MAX_FRAME_BYTES,
    Frame,
    Kind,
)

_MODULE = "rag_llm_system.infrastructure.sandboxes.worker"
_READ_BYTES = 1024 * 1024
_KINDS = {kind.value for kind in Kind}


class NoAnswer(Exception):
    """None in time, or none at all; the message is a reason for a CrawlError."""


class WorkerProcess:
    """One process and its pipes, for one thread at a time. After an exception it can only be ended."""

    def __init__(self, memory_mb: int) -> None:
        self.loaded: set[str] = set()
        self._spent = False
        self._process = subprocess.Popen(  # noqa: S603 - our own module, our own interpreter
            [sys.executable, "-P", "-m", _MODULE, str(memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=_environment(),
            start_new_session=True,  # Ctrl-C at the terminal is not for it
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        self._writable, self._readable = select.poll(), select.poll()
        self._writable.register(self._requests, select.POLLOUT)
        self._readable.register(self._answers, select.POLLIN)
        for pipe in (self._requests, self._answers):
            os.set_blocking(pipe.fileno(), False)

    @property
    def usable(self) -> bool:
        """Whether it lives and may be asked again."""
        return not self._spent and self._process.poll() is None

    def ask(self, request: Frame, timeout_s: float) -> Frame:
        """The answer. Raises NoAnswer."""
        deadline = time.monotonic() + timeout_s
        try:
            self._send(request.packed(), deadline)
            answer = self._receive(deadline)
        except TimeoutError as error:
            raise NoAnswer(f"reading it takes more than {timeout_s:g} s") from error
        except BrokenPipeError as error:
            raise NoAnswer(f"reading it ended the worker process ({self._ending()})") from error
        self._spent = answer.spent
        return answer

    def kill(self) -> None:
        """End the process now, whoever waits for it."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the process and give back its pipes."""
        self.kill()
        self._requests.close()
        self._answers.close()

    def _send(self, data: bytes, deadline: float) -> None:
        left = memoryview(data)
        while left:
            _wait(self._writable, deadline)
            left = left[os.write(self._requests.fileno(), left) :]

    def _receive(self, deadline: float) -> Frame:
        received = bytearray()
        expected = HEADER.size
        while len(received) < expected:
            _wait(self._readable, deadline)
            piece = os.read(self._answers.fileno(), _READ_BYTES)
            if not piece:
                raise BrokenPipeError
            received += piece
            if expected == HEADER.size and len(received) >= expected:
                kind, _, length = HEADER.unpack_from(received)
                if kind not in _KINDS or length > MAX_FRAME_BYTES:
                    raise NoAnswer("reading it made the worker process talk nonsense")
                expected += length
        kind, spent, _ = HEADER.unpack_from(received)
        return Frame(Kind(kind), bytes(received[HEADER.size :]), spent)

    def _ending(self) -> str:
        """How the process ended; it is given a moment to have done so."""
        try:
            status = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return "it closed its output"
        return f"signal {-status}" if status < 0 else f"exit status {status}"


def _wait(pipe: select.poll, deadline: float) -> None:
    left_s = deadline - time.monotonic()
    if left_s <= 0 or not pipe.poll(ceil(left_s * 1000)):
        raise TimeoutError


def _environment() -> dict[str, str]:
    """What Python needs to find the same modules, and nothing of ours: no settings, no secrets."""
    path = [entry or str(Path.cwd()) for entry in sys.path]
    return {"PYTHONPATH": os.pathsep.join(path), "PATH": os.defpath, "LANG": "C.UTF-8"}
