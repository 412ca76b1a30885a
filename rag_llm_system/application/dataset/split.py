"""Splits rows into train and test by document, so that no test question was trained on."""

from collections.abc import Iterable, Sequence

from rag_llm_system.application.dataset.overlap import texts_of
from rag_llm_system.domain.datasets import DatasetSplit, TrainingRow
from rag_llm_system.domain.documents import sha256_of
from rag_llm_system.domain.errors import ConfigurationError, DataError

MAX_TEST_SHARE = 0.5


def split_by_document(rows: Iterable[TrainingRow], test_share: float, seed: int) -> DatasetSplit:
    """About ``test_share`` of the rows go to test, in whole documents, chosen by ``seed``; order is kept.

    Documents that share a question or an answer, case and punctuation aside, stay on one side. A row that
    names no document stands for itself.
    """
    if not 0 < test_share <= MAX_TEST_SHARE:
        raise ConfigurationError(
            f"test_share is {test_share}; it must be over 0 and at most {MAX_TEST_SHARE}"
        )
    kept = list(rows)
    group_of = _groups(kept)
    sizes: dict[str, int] = {}
    for row in kept:
        group = group_of[_document(row)]
        sizes[group] = sizes.get(group, 0) + 1
    if len(sizes) < 2:
        raise DataError(
            f"a split by document needs at least 2 documents that share no text; the {len(kept)} rows come from"
            f" {len(group_of)} documents, {len(sizes)} apart: crawl more, or write more than one document"
        )
    chosen = _choose(sizes, max(1, round(test_share * len(kept))), seed)
    in_test = [group_of[_document(row)] in chosen for row in kept]
    return DatasetSplit(
        train=tuple(row for row, test in zip(kept, in_test, strict=True) if not test),
        test=tuple(row for row, test in zip(kept, in_test, strict=True) if test),
    )


def check_no_overlap(split: DatasetSplit) -> None:
    """Raises DataError when a question or an answer of the test rows is also in the train rows."""
    known = frozenset[str]().union(*map(texts_of, split.train))
    shared = [n for n, row in enumerate(split.test, start=1) if not known.isdisjoint(texts_of(row))]
    if shared:
        raise DataError(
            f"{len(shared)} of {len(split.test)} test rows repeat a question or an answer of the train rows,"
            f" first test row {shared[0]}: split by document again, or remove them"
        )


def _groups(rows: Sequence[TrainingRow]) -> dict[str, str]:
    """Document to the first document it is linked to, directly or through others, by a common text."""
    parent: dict[str, str] = {}
    owner: dict[str, str] = {}

    def root(document_id: str) -> str:
        while parent[document_id] != document_id:
            document_id = parent[document_id]
        return document_id

    for row in rows:
        document = _document(row)
        parent.setdefault(document, document)
        for text in texts_of(row):
            first, other = sorted((root(owner.setdefault(text, document)), root(document)))
            parent[other] = first
    return {document_id: root(document_id) for document_id in parent}


def _document(row: TrainingRow) -> str:
    return row.document_id or f"row:{sha256_of(chr(0).join(sorted(texts_of(row))))}"


def _choose(sizes: dict[str, int], wanted: int, seed: int) -> frozenset[str]:
    """Whole groups of at most ``wanted`` rows together, in an order that follows from ``seed``; at least one."""
    chosen: set[str] = set()
    taken = 0
    for group in sorted(sizes, key=lambda g: sha256_of(f"{seed}:{g}")):
        if taken + sizes[group] <= wanted:
            chosen.add(group)
            taken += sizes[group]
    return frozenset(chosen or {min(sizes, key=lambda g: (sizes[g], sha256_of(f"{seed}:{g}")))})
