"""The points and questions of the benchmark, in files that each contender reads in a process of its own."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import numpy.typing as npt

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Range, Where

DIMENSION = 384
CLUSTERS = 500
SPREAD = 0.7
"""Noise of a synthetic point beside its cluster's direction of length 1: two of one cluster have a cosine of 0.67."""

CONTENT_CHARS = 400
BATCH = 1_000
SERIES, AUTHORS, EDITIONS, PLATFORMS = 100, 100, 1_000, 5
FIRST_YEAR, YEARS, RECENT_YEARS = 2001, 25, 5

Numbers = npt.NDArray[np.int64]

FILTERS = ("20 %", "1 % random", "1 % correlated", "0.1 %")
"""By what they keep. A correlated one keeps neighbours, which are rarely near the question; a random one does not."""


class Points(Value):
    """Where the files are: ``vectors.f32``, ``payloads.jsonl``, ``questions.npy``."""

    folder: Path
    count: int
    dimension: int
    questions: int

    @property
    def spec(self) -> CollectionSpec:
        return CollectionSpec(
            dimension=self.dimension,
            encoder="benchmark",
            keyword_fields=("author_id", "platform", "series", "edition"),
            integer_fields=("year",),
        )

    def read_vectors(self) -> Vectors:
        """Shape (count, dimension)."""
        flat = np.fromfile(self.folder / "vectors.f32", dtype=np.float32)
        return flat.reshape(self.count, self.dimension)

    def read_questions(self) -> Vectors:
        """Shape (questions, dimension)."""
        read: Vectors = np.load(self.folder / "questions.npy")
        return read

    def read_payloads(self) -> Iterator[dict[str, object]]:
        with (self.folder / "payloads.jsonl").open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    def records(self) -> Iterator[list[Record]]:
        """In batches; only one of them is in memory."""
        payloads = self.read_payloads()
        with (self.folder / "vectors.f32").open("rb") as file:
            for first in range(0, self.count, BATCH):
                rows = np.fromfile(file, dtype=np.float32, count=BATCH * self.dimension)
                vectors = rows.reshape(-1, self.dimension).tolist()
                yield [
                    Record(id=point_id(first + n), vector=vector, payload=payload)
                    for n, (vector, payload) in enumerate(
                        zip(vectors, islice(payloads, BATCH), strict=False)
                    )
                ]


def point_id(n: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"point {n}"))


def where(name: str, question: int) -> Where | None:
    """The condition of that filter; each question asks for another author, series or edition."""
    conditions: dict[str, Callable[[], Where]] = {
        "20 %": lambda: {"year": Range(gte=FIRST_YEAR + YEARS - RECENT_YEARS)},
        "1 % random": lambda: {"author_id": f"author-{question % AUTHORS}"},
        "1 % correlated": lambda: {"series": f"series-{question * 37 % SERIES}"},
        "0.1 %": lambda: {"edition": f"edition-{question * 7 % EDITIONS}"},
    }
    return conditions[name]() if name else None


def clustered(folder: Path, count: int, questions: int, seed: int) -> Points:
    """Directions round 500 centres, drawn at random; the questions are drawn alike and are none of the points."""
    from pydoc_data.topics import topics  # English prose that is on every machine, for the payloads

    random = np.random.default_rng(seed)
    centres = _unit(random.standard_normal((CLUSTERS, DIMENSION), dtype=np.float32))
    clusters = random.integers(CLUSTERS, size=count + questions)
    noise = random.standard_normal((count + questions, DIMENSION), dtype=np.float32)
    drawn = _unit(centres[clusters] + noise * np.float32(SPREAD / DIMENSION**0.5))
    prose = " ".join(" ".join(topics.values()).split())
    starts = random.integers(len(prose) - CONTENT_CHARS, size=count)
    contents = [prose[start : start + CONTENT_CHARS] for start in starts]
    series = clusters[:count] * SERIES // CLUSTERS
    return write_points(folder, drawn, contents, series, random)


def of_texts(folder: Path, vectors: Vectors, contents: Sequence[str], seed: int) -> Points:
    """Embedded texts, then the questions; a text's series is the nearest of 100 texts, taken at random."""
    random = np.random.default_rng(seed)
    there = vectors[: len(contents)]
    leaders = there[random.choice(len(contents), size=SERIES, replace=False)]
    return write_points(folder, vectors, contents, np.argmax(there @ leaders.T, axis=1), random)


def write_points(
    folder: Path,
    vectors: Vectors,
    contents: Sequence[str],
    series: Numbers,
    random: np.random.Generator,
) -> Points:
    """The first rows of ``vectors`` are the points, one for each content; the others are the questions."""
    count = len(contents)
    folder.mkdir(parents=True, exist_ok=True)
    vectors[:count].tofile(folder / "vectors.f32")
    np.save(folder / "questions.npy", vectors[count:])
    # dealt out like cards, so that each filter keeps the same share at every size
    authors, editions, years, platforms = (
        (random.permutation(count) % kinds).tolist()
        for kinds in (AUTHORS, EDITIONS, YEARS, PLATFORMS)
    )
    with (folder / "payloads.jsonl").open("w", encoding="utf-8") as file:
        for n, content in enumerate(contents):
            payload = {
                "content": content,
                "author_id": f"author-{authors[n]}",
                "platform": f"platform-{platforms[n]}",
                "series": f"series-{series[n]}",
                "edition": f"edition-{editions[n]}",
                "year": FIRST_YEAR + years[n],
            }
            file.write(json.dumps(payload) + "\n")
    return Points(
        folder=folder,
        count=count,
        dimension=vectors.shape[1],
        questions=len(vectors) - count,
    )


def _unit(rows: Vectors) -> Vectors:
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
