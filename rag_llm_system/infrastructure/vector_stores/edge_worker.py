"""The process that has one shard open: ``python -m ...edge_worker LIFELINE``, in the shard's folder.

Requests come on its standard input, answers go to what its standard output was; both are pickles, between our own
processes. It ends with its parent, also in the middle of a call that takes a minute.
"""

import fcntl
import os
import pickle
import sys
from types import TracebackType
from typing import Any, BinaryIO

from rag_llm_system.infrastructure.vector_stores.edge_engine import Engine


class Outcome:
    """``with Outcome() as outcome:`` keeps what the engine raises inside; what is our own mistake ends the process."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.failure: tuple[str, bool] | None = None
        """What the engine said, and whether it panicked."""

    def __enter__(self) -> "Outcome":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        # the engine raises plain Exception, and lets Rust panics through as PanicException, a BaseException
        if kind is Exception or (kind is not None and kind.__name__ == "PanicException"):
            self.failure = (" ".join(str(error).split()), kind is not Exception)
            return True
        return False


def main() -> None:
    _end_with_parent(int(sys.argv[1]))
    requests, answers = sys.stdin.buffer, _own_output()
    engine = Engine()
    while True:
        try:
            method, args, kwargs = pickle.load(requests)  # noqa: S301 - from our own parent
        except EOFError:
            return
        with Outcome() as outcome:
            outcome.answer = getattr(engine, method)(*args, **kwargs)
        pickle.dump((outcome.failure, outcome.answer), answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


def _own_output() -> BinaryIO:
    """What else is printed, by the engine or its libraries, goes to the standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _end_with_parent(lifeline: int) -> None:
    """Let the kernel end this process when the parent's end of a pipe is closed, however the parent ends.

    A thread that waits for that would not run: a call of the engine holds the interpreter lock. So the pipe sends
    SIGIO, whose default is to end the process. (PR_SET_PDEATHSIG would follow the thread that started it.)
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
    try:
        os.read(lifeline, 1)
    except BlockingIOError:
        return
    sys.exit()  # it was closed before this process could listen


if __name__ == "__main__":
    main()
