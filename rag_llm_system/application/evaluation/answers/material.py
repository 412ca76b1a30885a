"""What models are measured on: rows drawn from the test set, and training rows for the memorisation probe."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import Field

from rag_llm_system.application.evaluation.answers.asked import asked_of, without_context
from rag_llm_system.application.evaluation.answers.memorisation import Probe, probes_of
from rag_llm_system.application.evaluation.answers.scoring import Scene
from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import DataError

Item = TypeVar("Item")

SourcesOf = Callable[[frozenset[str]], Mapping[str, str]]
"""The texts of documents, by their ids: what an answer is checked against where its row has no context."""


class EvaluationSettings(Value):
    """``rows`` are answered, ``loss_rows`` only read, ``probes`` are training rows that are asked without context.

    Rows are drawn by ``seed``; of a smaller set all are taken. ``samples`` are shown in full.
    """

    rows: int = Field(60, ge=1)
    loss_rows: int = Field(500, ge=1)
    probes: int = Field(60, ge=0)
    samples: int = Field(12, ge=0)
    seed: int = Field(42, ge=0)


@dataclass(frozen=True)
class Material:
    """Both sets are read once, in a stream."""

    test: Iterable[Row]
    train: Iterable[Row] = ()
    sources_of: SourcesOf = lambda _: {}


@dataclass(frozen=True)
class Drawn:
    """``scene`` belongs to ``answered``, and ``probes`` to ``probed``, row by row."""

    read: Sequence[Row]
    answered: Sequence[Row]
    scene: Scene
    probed: Sequence[Row]
    probes: Sequence[Probe]


def drawn_from(material: Material, settings: EvaluationSettings) -> Drawn:
    """Raises DataError when there are no test rows."""
    pool = draw(material.test, max(settings.rows, settings.loss_rows), settings.seed)
    if not pool:
        raise DataError("no rows to evaluate on; name a test set that has some")
    answered = draw(pool, settings.rows, settings.seed)
    probed = draw(material.train, settings.probes, settings.seed) if settings.probes else []
    scene = _scene(answered, material.sources_of)
    return Drawn(
        read=draw(pool, settings.loss_rows, settings.seed),
        answered=answered,
        scene=scene,
        probed=[without_context(row) for row in probed],
        probes=probes_of([asked_of(row) for row in probed], scene.rows),
    )


def draw(rows: Iterable[Item], count: int, seed: int) -> list[Item]:
    """At most ``count`` of the rows, in their order, each as likely as the others.

    One pass that keeps no other row (Vitter 1985, algorithm R).
    """
    kept: list[tuple[int, Item]] = []
    rng = random.Random(seed)  # noqa: S311 - a sample, nothing secret
    for number, row in enumerate(rows):
        if number < count:
            kept.append((number, row))
        elif (place := rng.randint(0, number)) < count:
            kept[place] = (number, row)
    return [row for _, row in sorted(kept, key=lambda entry: entry[0])]


def _scene(rows: Sequence[Row], sources_of: SourcesOf) -> Scene:
    asked = [asked_of(row) for row in rows]
    pairs = list(zip(rows, asked, strict=True))
    bare = frozenset(row.document_id for row, a in pairs if row.document_id and not a.context)
    texts = sources_of(bare) if bare else {}
    return Scene.of(asked, [a.context or texts.get(row.document_id, "") for row, a in pairs])
