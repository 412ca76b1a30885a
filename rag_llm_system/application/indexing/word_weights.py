"""The words of the points, weighed by the length of the collection's chunks: what a search for words compares.

A chunk's first window carries its words, how many they are and the reference length they were weighed by. That length
follows from the chunks that are there, so an index that grew is the one that a rebuild would give; when it moves, the
points are weighed anew, without their text being embedded again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rag_llm_system.application.preprocessing.terms import (
    document_terms,
    reference_length,
    word_counts,
)
from rag_llm_system.domain.ports import Record, VectorStore
from rag_llm_system.domain.queries import Where

WORDS, REFERENCE = "words", "reference_words"
"""Payload fields of first windows: how many words the chunk has, and the length that their weights assume."""

_FIRST: Where = {"window": 0}
_NAMES = ("title", "headings", "source_file", "symbol")


def weighed(record: Record, reference: int) -> Record:
    """With its chunk's words; only a first window has them."""
    if record.payload["window"]:
        return record
    counts = word_counts("\n".join(_texts(record.payload)))
    payload = {**record.payload, WORDS: counts.total(), REFERENCE: reference}
    terms = document_terms(counts, reference)
    return Record(id=record.id, vector=record.vector, terms=terms, payload=payload)


def reference_of(store: VectorStore, collection: str, new: Iterable[Record]) -> int:
    """The reference length of the chunks in the collection and of new ones beside them."""
    lengths = [r.payload[WORDS] for r in store.scan(collection, where=_FIRST, fields=(WORDS,))]
    lengths += [
        word_counts("\n".join(_texts(r.payload))).total() for r in new if not r.payload["window"]
    ]
    return _reference(lengths)


def reweighed(store: VectorStore, collection: str) -> Iterator[Record]:
    """The points whose words were weighed by another length than the chunks now have in the mean, weighed anew."""
    lengths, references = [], set()
    for record in store.scan(collection, where=_FIRST, fields=(WORDS, REFERENCE)):
        lengths.append(record.payload[WORDS])
        references.add(record.payload[REFERENCE])
    reference = _reference(lengths)
    if references - {reference}:
        for record in store.scan(collection, where=_FIRST, with_vectors=True):
            if record.payload[REFERENCE] != reference:
                yield weighed(record, reference)


def _reference(lengths: Sequence[int]) -> int:
    return reference_length(sum(lengths) / len(lengths) if lengths else 0)


def _texts(payload: Mapping[str, Any]) -> Iterator[str]:
    """Each once: a file's title is its path."""
    names = (payload.get(name, "") for name in _NAMES)
    flat = [name if isinstance(name, str) else "\n".join(name) for name in names]
    return iter((*dict.fromkeys(flat), payload["content"]))
