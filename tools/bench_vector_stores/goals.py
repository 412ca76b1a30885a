"""What the vector stores have to reach, in figures of one run."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rag_llm_system.domain.documents import Value
from tools.bench_vector_stores.race import Figures, Row

EXACT_UP_TO = 20_000
"""Points below which exact search is as fast as an index and always right (measured: notes of the stores)."""

LONGEST_GAP_MS = 100.0
_SELECTIVE = ("1 % random", "1 % correlated")


class Goal(Value):
    """A bar that is a least or, when ``at_most``, a greatest value; ``measured`` is None without its row."""

    name: str
    contender: str
    points: int
    bar: float
    at_most: bool = False
    measured: float | None = None

    @property
    def reached(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured <= self.bar if self.at_most else self.measured >= self.bar


class _Bar(NamedTuple):
    """``exact_only``: of sizes at which exact search is to be used; ``of`` None: nothing was measured."""

    name: str
    contenders: tuple[str, ...]
    of: Callable[[Figures], float | None]
    bar: float
    exact_bar: float | None = None
    exact_only: bool = False
    at_most: bool = False


def _selective_recall(figures: Figures) -> float:
    return min(figures.filtered[name].recall for name in _SELECTIVE)


def _gap(figures: Figures) -> float | None:
    return figures.gaps.publishing_ms if figures.gaps else None


_EXACT_STORES = ("qdrant-edge", "faiss")
_BARS = (
    _Bar("exact search: recall", _EXACT_STORES, lambda f: f.plain.recall, 1.0, exact_only=True),
    _Bar("filter that keeps 1 %: recall", ("faiss",), _selective_recall, 0.99, exact_bar=1.0),
    _Bar("filter that keeps 1 %: recall", ("qdrant-edge", "chroma"), _selective_recall, 0.99),
    _Bar("longest wait of a reader, ms", _EXACT_STORES, _gap, LONGEST_GAP_MS, at_most=True),
)


def goals(rows: Sequence[Row]) -> list[Goal]:
    """Every goal for the sizes of these rows."""
    sizes = sorted({row.points for row in rows})
    return [goal for points in sizes for bar in _BARS for goal in _judged(bar, points, rows)]


def _judged(bar: _Bar, points: int, rows: Sequence[Row]) -> Iterator[Goal]:
    exact = points <= EXACT_UP_TO
    if bar.exact_only and not exact:
        return
    for contender in bar.contenders:
        figures = next(
            (r.figures for r in rows if (r.contender, r.points) == (contender, points)), None
        )
        yield Goal(
            name=bar.name,
            contender=contender,
            points=points,
            bar=bar.exact_bar if exact and bar.exact_bar is not None else bar.bar,
            at_most=bar.at_most,
            measured=bar.of(figures) if figures else None,
        )
