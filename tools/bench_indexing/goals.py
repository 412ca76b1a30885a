"""What incremental indexing has to reach, in figures of one run."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rag_llm_system.domain.documents import Value
from tools.bench_indexing.stages import (
    AGAIN,
    CHANGED,
    COMPLETED,
    EDITED,
    FULL,
    KILLED_AT,
    REDUCED,
    Measured,
    Row,
    by_stage,
)

PEAK_MB = 1500
"""For 100,000 chunks; fewer need less."""


class Goal(Value):
    """A greatest value; ``measured`` is None where its stages were not run."""

    name: str
    bar: float
    measured: float | None

    @property
    def reached(self) -> bool | None:
        return None if self.measured is None else self.measured <= self.bar


class _Share(NamedTuple):
    """Something of a stage, as a share of the full run's texts."""

    name: str
    stage: str
    bar: float
    of: Callable[[Measured], int]


def _encoded(run: Measured) -> int:
    return run.encoded


def _touched(run: Measured) -> int:
    return run.written + run.removed


_SHARES = (
    _Share("nothing changed: texts encoded", AGAIN, 0, _encoded),
    _Share("nothing changed: records written or removed", AGAIN, 0, _touched),
    _Share("1 % edited: texts encoded, of a full run's", EDITED, 1.5 * CHANGED, _encoded),
    _Share("1 % removed: texts encoded", REDUCED, 0, _encoded),
    # a batch of documents may have been in work when the run was killed
    _Share("after a kill: texts encoded, of a full run's", COMPLETED, 1.1 - KILLED_AT, _encoded),
)


def goals(rows: Sequence[Row]) -> list[Goal]:
    return list(_goals(rows))


def scale_goals(row: Row) -> list[Goal]:
    run = row.measured
    return [
        Goal(name="most memory, MB", bar=PEAK_MB, measured=row.peak_mb if run else None),
        Goal(name="documents not whole", bar=0, measured=run.waiting if run else None),
    ]


def _goals(rows: Sequence[Row]) -> Iterator[Goal]:
    runs = by_stage(rows)
    full = runs.get(FULL)
    for share in _SHARES:
        run = runs.get(share.stage)
        measured = share.of(run) / full.encoded if run and full and full.encoded else None
        yield Goal(name=share.name, bar=share.bar, measured=measured)
    lost = sum(abs(run.documents - run.indexed) + run.waiting for run in runs.values())
    yield Goal(
        name="documents lost or not whole, all stages", bar=0, measured=lost if runs else None
    )
