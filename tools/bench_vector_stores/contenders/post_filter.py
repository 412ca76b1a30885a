"""FAISS as the documents use it: a flat index beside a dictionary, 50 neighbours, and the filter only then."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Hit, Where, matches
from tools.bench_vector_stores.contenders.rows import Rows

BUFFER = 50


class PostFilter:
    """Their pickle is a file of JSON lines here; everything else is as in the documents."""

    traits: Mapping[str, str] = {
        "filters": "post-filter of 50", "batch_search": "native", "approximate": "no",
        "readers": "many processes", "writers": "one process", "durable_on": "publish",
    }  # fmt: skip

    def __init__(self, folder: Path, spec: CollectionSpec) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "index.faiss"
        self._rows = Rows(folder / "metadata.tsv")
        self._metadata: list[dict[str, Any]] = [json.loads(text) for text in self._rows.payloads]
        self._index = (
            faiss.read_index(str(self._path))
            if self._path.exists()
            else faiss.IndexFlatIP(spec.dimension or 0)
        )

    def upsert(self, records: Sequence[Record]) -> None:
        self._index.add(np.array([record.vector for record in records], dtype=np.float32))
        self._rows.add(records)
        self._metadata += [dict(record.payload) for record in records]

    def publish(self) -> None:
        faiss.write_index(self._index, str(self._path))
        self._rows.save()

    def search(self, vector: Vectors, *, limit: int, where: Where | None = None) -> list[Hit]:
        found = self._found(vector[np.newaxis], limit if where is None else BUFFER)[0]
        return [hit for hit in found if matches(where, hit.payload)][:limit]

    def search_batch(self, vectors: Vectors, *, limit: int) -> list[list[Hit]]:
        return self._found(vectors, limit)

    def close(self) -> None:
        """Nothing is open."""

    def _found(self, vectors: Vectors, limit: int) -> list[list[Hit]]:
        scores, numbers = self._index.search(vectors, limit)
        return [
            [
                Hit(id=self._rows.ids[n], score=score, payload=self._metadata[n])
                for score, n in zip(*row, strict=True)
                if n >= 0
            ]
            for row in zip(scores.tolist(), numbers.tolist(), strict=True)
        ]
