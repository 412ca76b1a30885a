"""What the encoder has to reach against the other contenders, in figures of one run."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from rag_llm_system.domain.documents import Value
from tools.bench_embedding.contenders.engine import Encoded
from tools.bench_embedding.processor import Processor

OURS, OURS_FLOAT32, DOCUMENTED, FASTEMBED = "ours", "ours-fp32", "documented", "fastembed"

LARGEST_NDCG_LOSS = 0.002


class Row(Value):
    """One contender: what it measured, or why there is nothing.

    ``runs`` are its rounds. The cosines are to the documented way's vectors, text by text; None without those.
    """

    contender: str
    dtype: str = ""
    load_s: float = 0.0
    runs: tuple[Encoded, ...] = ()
    cosine_min: float | None = None
    cosine_mean: float | None = None
    missing: str = ""
    failed: bool = False

    @property
    def best_s(self) -> float:
        return min(run.seconds for run in self.runs)

    @property
    def median_s(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def cpu_s(self) -> float:
        return min(run.cpu_s for run in self.runs)

    @property
    def peak_bytes(self) -> int:
        return max(run.peak_bytes for run in self.runs)


class Quality(Value):
    """nDCG@10 on one benchmark, by exact search over our vectors and over float32 ones of the contender ``exact``."""

    benchmark: str
    documents: int
    queries: int
    exact: str
    ours: float
    float32: float

    @property
    def loss(self) -> float:
        return self.float32 - self.ours


class Goal(Value):
    """A least value or, when ``below``, one to stay under; ``measured`` is None without its rows.

    ``not_judged`` says why it is shown only.
    """

    name: str
    bar: float
    below: bool = False
    measured: float | None = None
    not_judged: str = ""

    @property
    def reached(self) -> bool | None:
        if self.measured is None or self.not_judged:
            return None
        return self.measured < self.bar if self.below else self.measured >= self.bar


class _Race(NamedTuple):
    """At least ``ratio`` times the texts of ``slower`` in the same time."""

    name: str
    slower: str
    ratio: float
    with_amx: bool


_RACES = (
    _Race("ours : documented way", DOCUMENTED, 4.4, with_amx=True),
    _Race("ours : fastembed", FASTEMBED, 7.0, with_amx=True),
    _Race("no slower than the documented way", DOCUMENTED, 1.0, with_amx=False),
)


def speed_ratio(rows: Sequence[Row], faster: str, slower: str) -> float | None:
    """How many texts the one encodes while the other encodes one, in their best rounds; None when either is missing."""
    one, other = (
        next((row for row in rows if row.contender == name and row.runs), None)
        for name in (faster, slower)
    )
    return other.best_s / one.best_s if one and other else None


def goals(rows: Sequence[Row], quality: Sequence[Quality], processor: Processor) -> list[Goal]:
    """Every goal; which of the races are judged depends on the processor."""
    return [*_speed(rows, processor), *_losses(quality)]


def _speed(rows: Sequence[Row], processor: Processor) -> Iterator[Goal]:
    for race in _RACES:
        if race.with_amx or not processor.has_amx:
            yield Goal(
                name=race.name,
                bar=race.ratio,
                measured=speed_ratio(rows, OURS, race.slower),
                not_judged="no AMX" if race.with_amx and not processor.has_amx else "",
            )


def _losses(quality: Sequence[Quality]) -> Iterator[Goal]:
    for each in quality:
        yield Goal(
            name=f"loss of nDCG@10 on {each.benchmark}",
            bar=LARGEST_NDCG_LOSS,
            below=True,
            measured=each.loss,
        )
