"""Sandbox of worker processes: a page that hangs, crashes or floods a parser costs one worker, and no more."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from pydantic import ValidationError

from rag_llm_system.domain.errors import BackendError, CrawlError
from rag_llm_system.infrastructure.sandboxes.failures import Failure, error_of, link_among
from rag_llm_system.infrastructure.sandboxes.frames import (
    MAX_FRAME_BYTES,
    Callee,
    Frame,
    Kind,
    call_body,
    callee_of,
    mebibytes,
)
from rag_llm_system.infrastructure.sandboxes.turns import Closed, Turns
from rag_llm_system.infrastructure.sandboxes.worker_process import NoAnswer, WorkerProcess

LOAD_TIMEOUT_S = (
    60.0  # start and imports: measured under 2 s; a cold disk or a busy machine takes longer
)
_LOG = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class ProcessSandbox:
    """Starts workers when they are needed, at most one per processor unless told otherwise; threads take turns.

    ``timeout_s`` bounds one call, without the wait for a turn and without imports; ``memory_mb`` is what a call may
    take beyond what its imports took (Linux only).
    """

    def __init__(
        self, *, workers: int | None = None, timeout_s: float = 10.0, memory_mb: int = 1024
    ) -> None:
        self._timeout_s = timeout_s
        self._memory_mb = memory_mb
        places = workers or os.cpu_count() or 1
        self._turns = Turns[WorkerProcess | None]([None] * places)
        self._callees: dict[Callable[..., Any], Callee] = {}
        # Linux kills a worker together with the thread that started it: this one lives as long as the sandbox
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="sandbox")
        self._lock = threading.Lock()
        self._running: set[WorkerProcess] = set()
        self._closed = False

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises TypeError when the function cannot be run elsewhere or gives what its annotation does not say."""
        callee = self._callees.get(function)
        if callee is None:
            callee = self._callees.setdefault(function, callee_of(function))
        body = call_body(callee.name, args, kwargs)
        try:
            result: T = _result(callee, self._answer(callee, body))
        except NoAnswer as error:
            link = link_among(function, args, kwargs)
            raise CrawlError(link, str(error), kind="too large") from error
        except _Failed as failed:
            raise error_of(failed.failure, link_among(function, args, kwargs)) from None
        return result

    def close(self) -> None:
        """End all workers, also those at work."""
        with self._lock:
            self._closed = True
        idle = self._turns.close()
        self._starter.shutdown()
        with self._lock:
            running = list(self._running)
        for worker in running:
            worker.kill()  # whoever waits for it sees its output end, and gives back its pipes
        for one in idle:
            self._end(one)

    def _answer(self, callee: Callee, body: bytes) -> Frame:
        if len(body) > MAX_FRAME_BYTES:
            raise NoAnswer(f"the page has {mebibytes(body)} MB")
        try:
            with self._worker() as worker:
                _load(worker, callee)
                return worker.ask(Frame(Kind.CALL, body), self._timeout_s)
        except (NoAnswer, BackendError, Closed) as error:
            if self._closed:
                raise BackendError("the sandbox was closed; open another one") from error
            raise

    @contextmanager
    def _worker(self) -> Iterator[WorkerProcess]:
        worker = self._turns.take()
        try:
            if worker is None or not worker.usable:
                self._end(worker)
                worker = None
                worker = self._started()
            yield worker
        except BaseException:  # also Ctrl-C: it may be in the middle of an answer
            self._end(worker)
            worker = None
            raise
        finally:
            if worker is not None and not worker.usable:
                self._end(worker)
                worker = None
            if not self._turns.give_back(worker):
                self._end(worker)

    def _started(self) -> WorkerProcess:
        with self._lock:
            if self._closed:
                raise Closed
            starting = self._starter.submit(self._start)
        try:
            return starting.result()
        except OSError as error:
            raise BackendError(
                f"no worker process can be started ({error}); end other programs and run again"
            ) from error

    def _start(self) -> WorkerProcess:
        worker = WorkerProcess(self._memory_mb)
        with self._lock:
            self._running.add(worker)
        return worker

    def _end(self, worker: WorkerProcess | None) -> None:
        if worker is not None:
            worker.close()
            with self._lock:
                self._running.discard(worker)


class _Failed(Exception):
    """The function raised something."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure


def _load(worker: WorkerProcess, callee: Callee) -> None:
    if callee.name in worker.loaded:
        return
    try:
        answer = worker.ask(Frame(Kind.LOAD, callee.name.encode()), LOAD_TIMEOUT_S)
    except NoAnswer as error:
        raise BackendError(
            f"a worker process did not import {callee.name} ({error}); see what it printed"
        ) from error
    if answer.kind is Kind.BUG:
        raise BackendError(
            f"a worker process cannot import {callee.name} ({answer.body.decode()}); "
            "what this process can import, its workers must find too"
        )
    worker.loaded.add(callee.name)


def _result(callee: Callee, answer: Frame) -> Any:
    """Raises _Failed for a failure, TypeError for a bug."""
    if answer.kind is Kind.BUG:
        raise TypeError(answer.body.decode(errors="replace"))
    try:
        if answer.kind is Kind.RESULT:
            return callee.result.validate_json(answer.body)
        failure = Failure.model_validate_json(answer.body)
    except ValidationError as error:
        _LOG.debug("%s: %s", callee.name, error)
        failure = Failure(
            kind="damaged", reason="what was read from the page is not what it must be"
        )
    if failure.traceback:
        _LOG.debug("%s: %s", callee.name, failure.traceback)
    raise _Failed(failure)
