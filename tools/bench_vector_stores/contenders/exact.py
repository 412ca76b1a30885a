"""One matrix product per question: what an index has to beat, and what is always right."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Hit, Range, Where
from tools.bench_vector_stores.contenders.rows import Rows

Numbers = npt.NDArray[np.int64]


class Exact:
    """The vectors as one array, and for each value of a field the numbers of its points."""

    traits: Mapping[str, str] = {
        "filters": "native", "batch_search": "native", "approximate": "no",
        "readers": "many processes", "writers": "one process", "durable_on": "publish",
    }  # fmt: skip

    def __init__(self, folder: Path, spec: CollectionSpec) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._spec, self._path = spec, folder / "vectors.npy"
        self._rows = Rows(folder / "payloads.tsv")
        self._added: list[Vectors] = []
        self._vectors: Vectors = np.empty((0, spec.dimension or 0), dtype=np.float32)
        self._numbers: dict[str, dict[Any, Numbers]] = {}
        if self._path.exists():
            self._vectors = np.load(self._path)
            self._index()

    def upsert(self, records: Sequence[Record]) -> None:
        """New points only, as the benchmark has no others."""
        self._added.append(np.array([record.vector for record in records], dtype=np.float32))
        self._rows.add(records)

    def publish(self) -> None:
        self._vectors = np.concatenate([self._vectors, *self._added])
        self._added.clear()
        self._index()
        np.save(self._path, self._vectors)
        self._rows.save()

    def search(self, vector: Vectors, *, limit: int, where: Where | None = None) -> list[Hit]:
        if where is None:
            return self._best(self._vectors @ vector, None, limit)
        (kept,) = (self._kept(field, wanted) for field, wanted in where.items())
        return self._best(self._vectors[kept] @ vector, kept, limit)

    def search_batch(self, vectors: Vectors, *, limit: int) -> list[list[Hit]]:
        return [self._best(scores, None, limit) for scores in vectors @ self._vectors.T]

    def close(self) -> None:
        """Nothing is open."""

    def _best(self, scores: Vectors, kept: Numbers | None, limit: int) -> list[Hit]:
        first = np.argpartition(-scores, limit)[:limit] if len(scores) > limit else slice(None)
        among = np.arange(len(scores))[first]
        best = among[np.argsort(-scores[among])]
        numbers = best if kept is None else kept[best]
        return [
            Hit(
                id=self._rows.ids[n], score=float(score), payload=json.loads(self._rows.payloads[n])
            )
            for n, score in zip(numbers, scores[best], strict=True)
        ]

    def _kept(self, field: str, wanted: Any) -> Numbers:
        values = self._numbers[field]
        if isinstance(wanted, Range):
            least = -np.inf if wanted.gte is None else wanted.gte
            return np.concatenate([rows for value, rows in values.items() if value >= least])
        return values.get(wanted, np.empty(0, dtype=np.int64))

    def _index(self) -> None:
        numbers: dict[str, dict[Any, list[int]]] = defaultdict(lambda: defaultdict(list))
        for n, text in enumerate(self._rows.payloads):
            payload = json.loads(text)
            for field in (*self._spec.keyword_fields, *self._spec.integer_fields):
                numbers[field][payload[field]].append(n)
        self._numbers = {
            field: {value: np.array(rows) for value, rows in values.items()}
            for field, values in numbers.items()
        }
