"""Every collection of one vector store into another: streamed, checked, and completed by the next run if killed."""

import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import (
    ConfigurationError,
    DataError,
    IncompatibleCollection,
    UnknownName,
)
from rag_llm_system.domain.ports import CollectionSpec, Record, VectorStore
from rag_llm_system.domain.queries import Terms

BATCH = 1_000
"""Points that are read, compared and written at once: about 15 MB with vectors of 384 numbers."""

TOLERANCE = 1e-6
"""Stores bring vectors to length 1 again, which moves their numbers by single bits of 32. Of terms it is relative."""

OnPoints = Callable[[int], None]


class CollectionReport(Value):
    """``points`` equals ``written`` plus ``unchanged``; ``removed`` were in the target alone."""

    name: str
    points: int
    written: int
    unchanged: int
    removed: int


class MigrationReport(Value):
    """What became of each collection, and the aliases that now stand for them."""

    collections: Sequence[CollectionReport]
    aliases: Mapping[str, str]


@dataclass
class _Change:
    """What the next ``points`` of the source ask of the target."""

    points: int = 0
    write: list[Record] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)


def migrate(
    source: VectorStore,
    target: VectorStore,
    *,
    names: Collection[str] | None = None,
    batch: int = BATCH,
    on_points: OnPoints = lambda _: None,
) -> MigrationReport:
    """Copy these collections (None: all) and the aliases that stand for them; others in the target are left alone.

    What is there and equal is not written again, so a run that was killed is completed by the next; what the target has
    more is removed. Aliases come last, in one step, when every collection was compared in full with its source: what
    they stand for is never half there.
    ``on_points`` is told of every point twice, when it was copied and when it was compared.

    Raises before anything is written: ConfigurationError for the same store or an empty one, UnknownName for an absent
    collection, IncompatibleCollection for another encoder's, StoreLocked while another process writes to the target.
    DataError when source and target differ in the end: the source was written to meanwhile.
    """
    if source is target:
        raise ConfigurationError("source and target are the same vector store; name two")
    specs = _chosen(source, names)
    aliases = {alias: name for alias, name in source.aliases().items() if name in specs}
    _check_target(target, specs, aliases)
    target.claim()
    reports = []
    for name, spec in specs.items():
        target.ensure(name, spec)
        report = _copied(source, target, name, batch, on_points)
        _check_equal(source, target, name, batch, on_points)
        target.publish(name)
        if (there := target.count(name)) != report.points:
            raise DataError(f"{name}: {report.points} points were copied, the target has {there}")
        reports.append(report)
    target.point_aliases(aliases)
    return MigrationReport(collections=reports, aliases=aliases)


def chosen_points(source: VectorStore, names: Collection[str] | None = None) -> int:
    """How many points a migration would copy."""
    return sum(source.count(name) for name in _chosen(source, names))


def _chosen(source: VectorStore, names: Collection[str] | None) -> dict[str, CollectionSpec]:
    """The specs of these collections, named by themselves or by an alias."""
    specs, aliases = source.collections(), source.aliases()
    if not specs:
        raise ConfigurationError(
            "nothing to migrate: the source has no collections; is it the right one?"
        )
    wanted = {aliases.get(name, name) for name in (specs if names is None else names)}
    for name in sorted(wanted - specs.keys()):
        raise UnknownName("collection", name, [*specs, *aliases])
    return {name: specs[name] for name in sorted(wanted)}


def _check_target(
    target: VectorStore, specs: Mapping[str, CollectionSpec], aliases: Mapping[str, str]
) -> None:
    """Nothing in the target may be hidden or overwritten that is no earlier copy of the same."""
    there, pointed = target.collections(), target.aliases()
    for name, spec in specs.items():
        if name in pointed:
            raise ConfigurationError(
                f"collection {name!r} is an alias of {pointed[name]!r} in the target; migrate to another folder"
            )
        if name in there and there[name].made_with != spec.made_with:
            raise IncompatibleCollection(
                f"collection {name!r} is there already, made with {there[name].made_with}, not {spec.made_with}; "
                "migrate to another folder, or drop that first"
            )
    for alias in aliases:
        if alias in there:
            raise ConfigurationError(
                f"alias {alias!r} is a collection in the target; migrate to another folder, or drop that first"
            )


def _copied(
    source: VectorStore, target: VectorStore, name: str, batch: int, on_points: OnPoints
) -> CollectionReport:
    points = written = removed = 0
    for change in _changes(source, target, name, batch):
        if change.write:
            target.upsert(name, change.write)
        if change.remove:
            target.delete(name, change.remove)
        points += change.points
        written += len(change.write)
        removed += len(change.remove)
        on_points(change.points)
    return CollectionReport(
        name=name, points=points, written=written, unchanged=points - written, removed=removed
    )


def _check_equal(
    source: VectorStore, target: VectorStore, name: str, batch: int, on_points: OnPoints
) -> None:
    """Both read once more, in full: payloads are the same, vectors and terms within ``TOLERANCE``."""
    for change in _changes(source, target, name, batch):
        if wrong := [*(record.id for record in change.write), *change.remove]:
            raise DataError(
                f"{name}: {len(wrong)} points of {change.points} differ after the copy, the first is {min(wrong)}; "
                "was the source written to meanwhile? run it again"
            )
        on_points(change.points)


def _changes(source: VectorStore, target: VectorStore, name: str, batch: int) -> Iterator[_Change]:
    """Both are read side by side, in the order of the ids; a change is made before the next is asked for."""
    ours = source.scan(name, with_vectors=True)
    theirs = target.scan(name, with_vectors=True)
    one, other = next(ours, None), next(theirs, None)
    change = _Change()
    while one or other:
        last = min(record.id for record in (one, other) if record)
        if one and one.id == last:
            change.points += 1
            if other is None or other.id != last or not _equal(one, other):
                change.write.append(one)
            one = next(ours, None)
        else:
            change.remove.append(last)
        if other and other.id == last:
            other = next(theirs, None)
        if max(change.points, len(change.remove)) == batch:
            yield change
            if other and (change.write or change.remove):  # no store need bear writes during a scan
                theirs = target.scan(name, after=last, with_vectors=True)
                other = next(theirs, None)
            change = _Change()
    yield change


def _equal(one: Record, other: Record) -> bool:
    return (
        _text(one) == _text(other)
        and _equal_terms(one.terms, other.terms)
        and (
            one.vector == other.vector
            or bool(np.allclose(one.vector, other.vector, rtol=0, atol=TOLERANCE))
        )
    )


def _equal_terms(ours: Terms, theirs: Terms) -> bool:
    return ours.keys() == theirs.keys() and all(
        math.isclose(weight, theirs[number], rel_tol=TOLERANCE) for number, weight in ours.items()
    )


def _text(record: Record) -> str:
    """The payload as JSON: to Python 1, 1.0 and True are equal."""
    return json.dumps(record.payload, sort_keys=True)
