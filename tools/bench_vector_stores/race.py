"""Runs the contenders on the same points: each builds in a process of its own, then all answer in turns."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import BackendError, UnknownName
from rag_llm_system.settings import load_settings
from tools.bench_vector_stores.contenders import CONTENDERS, LIBRARIES
from tools.bench_vector_stores.contenders.job import Answers, Built, Gaps, Job, Opened, Rate
from tools.bench_vector_stores.memory import PeakMemory
from tools.bench_vector_stores.points import FILTERS, Points
from tools.bench_vector_stores.truth import Truth
from tools.bench_vector_stores.worker import Worker, disk_mb, working

SERVER = "qdrant-server"
MANY_THREADS = 4
_WITH_GAPS = ("qdrant-edge", "faiss")
"""Contenders whose index is built by ``publish``; Chroma makes its own as points come in."""

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""How many clients ask at once is what is measured; helpers inside a search of NumPy or FAISS would blur that."""


class Latency(Value):
    """Of the best of several rounds, each with every question once."""

    p50_ms: float
    p99_ms: float
    recall: float


class Figures(Value):
    """Everything that was measured of one contender; ``filtered`` by the names of ``FILTERS``."""

    built: Built
    opened: Opened
    disk_mb: float | None
    plain: Latency
    filtered: Mapping[str, Latency]
    per_second: float
    per_second_many: float
    batched_per_second: float
    gaps: Gaps | None = None


class Row(Value):
    """One contender at one size, or why there is nothing."""

    contender: str
    points: int
    figures: Figures | None = None
    missing: str = ""
    failed: bool = False


class _Served:
    """A contender that has built, and what it has answered so far."""

    def __init__(self, worker: Worker, built: Built, disk: float | None, gaps: Gaps | None) -> None:
        self.worker, self.built, self.disk, self.gaps = worker, built, disk, gaps
        self.opened = worker.ask(Opened, "open")
        self.answers: dict[str, list[Answers]] = {name: [] for name in ("", *FILTERS)}
        self.rates: dict[str, list[float]] = {"one": [], "many": [], "batch": []}

    def round(self) -> None:
        for name, rounds in self.answers.items():
            rounds.append(self.worker.ask(Answers, "answers", filter_name=name))
        for name, do, arguments in (
            ("one", "rate", {"threads": 1}),
            ("many", "rate", {"threads": MANY_THREADS}),
            ("batch", "batch", {}),
        ):
            self.rates[name].append(self.worker.ask(Rate, do, **arguments).per_second)

    def figures(self, truth: Truth) -> Figures:
        return Figures(
            built=self.built,
            opened=self.opened,
            disk_mb=self.disk,
            plain=self._latency("", truth),
            filtered={name: self._latency(name, truth) for name in FILTERS},
            per_second=max(self.rates["one"]),
            per_second_many=max(self.rates["many"]),
            batched_per_second=max(self.rates["batch"]),
            gaps=self.gaps,
        )

    def _latency(self, name: str, truth: Truth) -> Latency:
        times = [answers.milliseconds for answers in self.answers[name]]
        return Latency(
            p50_ms=min(float(np.percentile(one, 50)) for one in times),
            p99_ms=min(float(np.percentile(one, 99)) for one in times),
            recall=truth.mean_recall(name, self.answers[name][-1].found),
        )


def chosen(names: Sequence[str], *, server: bool) -> list[str]:
    """These contenders, for no name all of them, the server only where there is one; raises UnknownName."""
    for name in names:
        if name not in CONTENDERS:
            raise UnknownName("contender", name, CONTENDERS)
    return [
        name for name in CONTENDERS if name in names or (not names and (server or name != SERVER))
    ]


def names_a_server() -> bool:
    settings = load_settings()
    return bool(settings.QDRANT_DATABASE_HOST or settings.USE_QDRANT_CLOUD)


def race(contenders: Sequence[str], points: Points, folder: Path, rounds: int) -> list[Row]:
    """A row for each contender, in their order; the rounds of all are interleaved, as other work disturbs all alike."""
    ended: dict[str, Row] = {}
    served: dict[str, _Served] = {}
    with ExitStack() as open_workers:

        def attempt(name: str, work: Callable[[], object]) -> None:
            try:
                work()
            except BackendError as error:
                served.pop(name, None)
                ended[name] = _row(name, points, missing=f"failed: {error}", failed=True)

        def build(name: str) -> None:
            job = Job(contender=name, points=points, folder=folder / name)
            served[name] = _built(job, open_workers)

        for name in contenders:
            if (library := LIBRARIES.get(name)) and find_spec(library) is None:
                ended[name] = _row(name, points, missing=f"not installed: {library}")
            else:
                attempt(name, partial(build, name))
        for _ in range(rounds):
            for name, one in list(served.items()):
                attempt(name, one.round)
    truth = Truth(points)
    for name, one in served.items():
        ended[name] = _row(name, points, figures=one.figures(truth))
    return [ended[name] for name in contenders]


def _row(name: str, points: Points, **what: Any) -> Row:
    return Row(contender=name, points=points.count, **what)


def _built(job: Job, open_workers: ExitStack) -> _Served:
    """Built in one process, with a reader in a second, and opened in a third that stays."""
    if job.contender == SERVER:
        from tools.bench_vector_stores.contenders.stores import clear_server

        clear_server()
        open_workers.callback(clear_server)
    with working(job, "build") as worker, PeakMemory(worker.pid) as peak:
        built = worker.ask(Built, "build")
    built = built.model_copy(update={"peak_mb": max(built.peak_mb, peak.mb)})
    gaps = None
    if job.contender in _WITH_GAPS:
        again = job.model_copy(update={"folder": job.folder.with_name(f"{job.folder.name}-read")})
        with working(again, "gaps") as worker:
            gaps = worker.ask(Gaps, "gaps")
        rmtree(again.folder)
    disk = None if job.contender == SERVER else disk_mb(job.folder)
    return _Served(
        open_workers.enter_context(working(job, "serve", _ONE_THREAD)), built, disk, gaps
    )
