"""Takes the time and the memory of one contender in this process."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, pairwise

from rag_llm_system.domain.errors import BackendError
from rag_llm_system.domain.queries import Hit
from rag_llm_system.infrastructure.loading import load
from tools.bench_vector_stores.contenders import CONTENDERS
from tools.bench_vector_stores.contenders.job import (
    Answers,
    Built,
    Contender,
    Gaps,
    Job,
    Opened,
    Rate,
)
from tools.bench_vector_stores.memory import family_mb, memory_mb
from tools.bench_vector_stores.points import where
from tools.bench_vector_stores.truth import LIMIT

BATCH_OF = 64
RATE_S = 0.5


class Bench:
    """What the parent process may ask for, by the names of the methods."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._questions = job.points.read_questions()
        self._open = load("contender", job.contender, CONTENDERS)
        self._contender: Contender | None = None

    def build(self) -> Built:
        """All points, then the index; the time in which the points are read from their file is not counted."""
        contender = self._opened()
        upsert_s = 0.0
        for batch in self._job.points.records():
            upsert_s += _seconds(partial(contender.upsert, batch))
        publish_s = _seconds(contender.publish)
        traits = contender.traits
        self.close()
        return Built(
            upsert_s=upsert_s,
            publish_s=publish_s,
            peak_mb=memory_mb()["VmHWM"],
            traits=traits,
        )

    def gaps(self) -> Gaps:
        """As ``build``, with a reader in another thread from the first batch on."""
        contender, batches = self._opened(), self._job.points.records()
        contender.upsert(next(batches))
        with _Reader(self._one_after_another(contender)) as reader:
            started = time.perf_counter()
            for batch in batches:
                contender.upsert(batch)
            loaded = time.perf_counter()
            contender.publish()
            published = time.perf_counter()
        self.close()
        return Gaps(
            loading_ms=1000 * reader.longest_gap_s(started, loaded),
            publishing_ms=1000 * reader.longest_gap_s(loaded, published),
        )

    def open(self) -> Opened:
        open_s = _seconds(lambda: self._opened().search(self._questions[0], limit=LIMIT))
        memory = family_mb(os.getpid())
        return Opened(open_s=open_s, rss_mb=memory["VmRSS"], anonymous_mb=memory["RssAnon"])

    def answers(self, filter_name: str = "") -> Answers:
        contender, milliseconds, found = self._opened(), [], []
        for n, question in enumerate(self._questions):
            condition = where(filter_name, n)
            started = time.perf_counter()
            hits = contender.search(question, limit=LIMIT, where=condition)
            milliseconds.append(1000 * (time.perf_counter() - started))
            found.append([hit.id for hit in hits])
        return Answers(milliseconds=milliseconds, found=found)

    def rate(self, threads: int) -> Rate:
        contender = self._opened()
        until = time.perf_counter() + RATE_S
        counts = [0] * threads

        def ask(number: int) -> None:
            searches = self._one_after_another(contender)
            while time.perf_counter() < until:
                next(searches)
                counts[number] += 1

        asking = [threading.Thread(target=ask, args=(n,)) for n in range(threads)]
        seconds = _seconds(lambda: _run_all(asking))
        return Rate(per_second=sum(counts) / seconds)

    def batch(self) -> Rate:
        """In batches of 64, each of the same questions."""
        contender, batch = self._opened(), self._questions[:BATCH_OF]
        done, started = 0, time.perf_counter()
        while (seconds := time.perf_counter() - started) < RATE_S:
            contender.search_batch(batch, limit=LIMIT)
            done += len(batch)
        return Rate(per_second=done / seconds)

    def close(self) -> None:
        if self._contender is not None:
            self._contender.close()
            self._contender = None

    def _opened(self) -> Contender:
        if self._contender is None:
            made: Contender = self._open(self._job.folder, self._job.points.spec)
            self._contender = made
        return self._contender

    def _one_after_another(self, contender: Contender) -> Iterator[list[Hit]]:
        for question in cycle(self._questions):
            yield contender.search(question, limit=LIMIT)


class _Reader:
    """A thread that asks for one answer after another while the block runs."""

    def __init__(self, answers: Iterator[list[Hit]]) -> None:
        self._answers = answers
        self._times: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "_Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            if not next(self._answers):
                raise BackendError("the reader was given nothing")
            self._times.append(time.perf_counter())

    def longest_gap_s(self, start: float, end: float) -> float:
        """Between two answers, or an answer and an end of the span."""
        times = [start, *(t for t in self._times if start < t < end), end]
        return max(later - earlier for earlier, later in pairwise(times))


def _run_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
