"""A worker process of the sandbox: runs one function after another until its parent is gone.

The sandbox (`process.py`) starts it with ``python -m``. Its stdin and stdout belong to the two of them; what
libraries print goes nowhere.
"""

import ctypes
import gc
import os
import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from pydantic_core import PydanticSerializationError

from rag_llm_system.infrastructure.sandboxes.failures import Failure, failure_of
from rag_llm_system.infrastructure.sandboxes.frames import (
    MAX_FRAME_BYTES,
    Callee,
    Frame,
    Kind,
    call_of,
    callee_named,
    mebibytes,
    read_frame,
)

PR_SET_PDEATHSIG = 1  # linux/prctl.h
STDIN, STDOUT, STDERR = 0, 1, 2
MAX_REASON_CHARS = 300


def main(memory_mb: int) -> None:
    """Serve until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    _die_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what crashes a parser, does it often
    requests = os.fdopen(os.dup(STDIN), "rb")
    answers = os.fdopen(os.dup(STDOUT), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (STDIN, STDOUT, STDERR):
        os.dup2(nothing, descriptor)
    with requests, answers:
        _Worker(_MemoryLimit(memory_mb * 1024 * 1024)).serve(requests, answers)


class _MemoryLimit:
    """Bounds the address space at what is in use after loading, and so much more. Does nothing where Linux is not."""

    def __init__(self, allowance_bytes: int) -> None:
        self._allowance_bytes = allowance_bytes
        self._base_bytes = 0
        self._hard = resource.getrlimit(resource.RLIMIT_AS)[1]

    def lift(self) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (self._hard, self._hard))

    def impose(self) -> None:
        in_use = _address_space_bytes()
        if in_use is None:
            return
        self._base_bytes = in_use
        limit = in_use + self._allowance_bytes
        if self._hard != resource.RLIM_INFINITY:
            limit = min(limit, self._hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, self._hard))

    @property
    def spent(self) -> bool:
        """Whether half of it is still taken when nothing runs: the next page would pay for earlier ones."""
        if not self._half_is_taken():
            return False
        gc.collect()  # trees of Beautiful Soup are cyclic: they wait for it
        return self._half_is_taken()

    def _half_is_taken(self) -> bool:
        in_use = _address_space_bytes()
        return in_use is not None and in_use - self._base_bytes > self._allowance_bytes / 2


class _Worker:
    def __init__(self, memory: _MemoryLimit) -> None:
        self._memory = memory
        self._loaded: dict[str, Callee] = {}

    def serve(self, requests: BinaryIO, answers: BinaryIO) -> None:
        while request := read_frame(requests):
            answer = self._load(request) if request.kind is Kind.LOAD else self._call(request)
            # after the call, when all it took has been given back
            spent = answer.spent or self._memory.spent
            _write(answers, Frame(answer.kind, answer.body, spent))

    def _load(self, request: Frame) -> Frame:
        """Import what the function needs, before the clock runs and the memory is bounded."""
        name = request.body.decode()
        self._memory.lift()
        try:
            self._loaded[name] = callee_named(name)
        except Exception as error:  # noqa: BLE001 - whatever importing raises is for the parent
            return _bug(f"{type(error).__name__}: {_one_line(error)}")
        finally:
            self._memory.impose()
        return Frame(Kind.RESULT)

    def _call(self, request: Frame) -> Frame:
        try:
            name, args, kwargs = call_of(request.body)
        except (ImportError, AttributeError, TypeError) as error:
            return _bug(f"the arguments cannot be read: {type(error).__name__}: {_one_line(error)}")
        callee = self._loaded[name]
        try:
            result = callee.function(*args, **kwargs)
            body = callee.result.dump_json(result, warnings="error")
        except Exception as error:  # noqa: BLE001 - one page after another: each failure is its own
            if _not_as_annotated(error):
                return _bug(f"{name} gave what its annotation does not say: {_one_line(error)}")
            return _failed(failure_of(error), spent=isinstance(error, MemoryError))
        if len(body) > MAX_FRAME_BYTES:
            reason = f"what was read from it has {mebibytes(body)} MB"
            return _failed(Failure(kind="too large", reason=reason), spent=True)
        return Frame(Kind.RESULT, body)


def _bug(text: str) -> Frame:
    return Frame(Kind.BUG, text.encode(errors="replace"))


def _failed(failure: Failure, *, spent: bool) -> Frame:
    return Frame(Kind.FAILURE, failure.model_dump_json().encode(), spent)


def _not_as_annotated(error: Exception) -> bool:
    """A bug, unlike half a surrogate pair, which was copied from the page."""
    return isinstance(error, PydanticSerializationError) and "surrogates" not in str(error)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:MAX_REASON_CHARS]


def _write(answers: BinaryIO, answer: Frame) -> None:
    left = memoryview(answer.packed())
    while left:
        left = left[answers.write(left) :]


def _die_with_parent() -> None:
    """So that none outlives a killed parent while it is busy; an idle one sees its stdin end. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _address_space_bytes() -> int | None:
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").partition(" ")[0]
    except FileNotFoundError:
        return None
    return int(pages) * resource.getpagesize()


if __name__ == "__main__":
    main(int(sys.argv[1]))
