"""What the servers have to reach, in figures of one run."""

from collections.abc import Iterator, Mapping

from rag_llm_system.domain.documents import Value
from tools.bench_serving.load import Load

RETRIEVE, RAG, INFER, NAIVE = "/retrieve", "/rag", "/infer", "naive /infer"

_OVERHEAD_S = 0.150
_TIMES_NAIVE = 3.0
_GROWTH = 1.10
_CLIENTS = 8

Loads = Mapping[tuple[str, int], Load]
"""By route and number of clients."""


class Goal(Value):
    """``at_most``: whether ``bar`` is a greatest value; ``measured`` is None where it was not."""

    name: str
    bar: float
    measured: float | None
    at_most: bool = True

    @property
    def reached(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured <= self.bar if self.at_most else self.measured >= self.bar


def goals(loads: Loads, growth: float | None) -> Iterator[Goal]:
    """``growth``: the memory after many requests as a share of that before."""
    rag, infer = loads.get((RAG, _CLIENTS)), loads.get((INFER, _CLIENTS))
    naive = loads.get((NAIVE, _CLIENTS))
    yield Goal(
        name=f"/rag without a model, {_CLIENTS} clients: p95, s",
        bar=_OVERHEAD_S,
        measured=rag.percentile(0.95) if rag else None,
    )
    yield Goal(
        name=f"/infer, {_CLIENTS} clients: times the naive server's requests a second",
        bar=_TIMES_NAIVE,
        measured=infer.rate / naive.rate if infer and naive else None,
        at_most=False,
    )
    ours = [load for (route, _), load in loads.items() if route != NAIVE]
    yield Goal(name="errors", bar=0, measured=sum(load.errors for load in ours) if ours else None)
    yield Goal(name="memory after the soak, of that before", bar=_GROWTH, measured=growth)
