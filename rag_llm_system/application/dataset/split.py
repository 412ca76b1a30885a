"""Splits rows into train and test by document, so that nothing of a test row was trained on."""

import os
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path

from rag_llm_system.application.dataset.formats_written import as_stored
from rag_llm_system.application.dataset.near_duplicates import THRESHOLD, NearDuplicates
from rag_llm_system.application.dataset.overlap import (
    Compared,
    compared_texts,
    digest,
)
from rag_llm_system.application.dataset.rows_files import (
    TEST_FILE,
    TRAIN_FILE,
    json_line,
    whole_file,
)
from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.documents import Value, sha256_of
from rag_llm_system.domain.errors import ConfigurationError, DataError

MAX_TEST_SHARE = 0.5
_SWALLOWED = 0.5
"""A split that reaches less of the wanted test rows because of one group is refused."""


class SplitReport(Value):
    """``groups`` counts documents that are linked by a text as one; ``largest_group`` is the rows of one."""

    train_rows: int
    test_rows: int
    documents: int
    groups: int
    largest_group: int
    test_share: float
    seed: int


def split_rows(
    rows: Iterable[Row],
    folder: Path,
    *,
    test_share: float,
    seed: int,
    near_threshold: float = THRESHOLD,
    answers: bool = True,
) -> SplitReport:
    """Writes ``train.jsonl`` and ``test.jsonl``; about ``test_share`` of the rows go to test, in whole documents.

    Documents stay on one side when they share a question or an answer, case and punctuation aside, or have two that
    are nearly the same (see ``overlap.compared_texts`` for which are compared; ``answers=False`` leaves the answers
    out). A row that names no document stands for itself. ``rows`` is read twice; of a row only digests and
    signatures are kept. The same rows and seed give the same bytes.
    """
    _check_share(test_share)
    links = _Links(near_threshold, answers=answers)
    for row in rows:
        links.add(row)
    sizes = links.sizes()
    wanted = max(1, round(test_share * len(links.document_of_row)))
    chosen = _choose(sizes, wanted, seed) if len(sizes) > 1 else frozenset[str]()
    test_rows = sum(sizes[group] for group in chosen)
    _check_sides(sizes, test_rows, wanted, len(links.parent))
    in_test = [group in chosen for group in links.groups()]
    _write(rows, folder, [in_test[document] for document in links.document_of_row])
    return SplitReport(
        train_rows=len(links.document_of_row) - test_rows,
        test_rows=test_rows,
        documents=len(links.parent),
        groups=len(sizes),
        largest_group=max(sizes.values()),
        test_share=test_share,
        seed=seed,
    )


class _Links:
    """Documents, by number, and which of them belong together (union-find)."""

    def __init__(self, near_threshold: float, *, answers: bool) -> None:
        self.document_of_row = array("I")
        self.parent: list[int] = []
        self._names: dict[str, int] = {}
        self._owners: dict[bytes, int] = {}
        self._near = {part: NearDuplicates(near_threshold) for part in ("question", "answer")}
        self._answers = answers

    def add(self, row: Row) -> None:
        texts = list(compared_texts(row, answers=self._answers))
        document = self._number(row.document_id or f"row:{digest(*texts).hex()}")
        self.document_of_row.append(document)
        for compared in texts:
            self._link(document, compared)

    def sizes(self) -> dict[str, int]:
        """Rows of each group."""
        groups = self.groups()
        sizes: dict[str, int] = {}
        for document in self.document_of_row:
            sizes[groups[document]] = sizes.get(groups[document], 0) + 1
        return sizes

    def groups(self) -> list[str]:
        """The group of each document, named after the one of its documents that sorts first."""
        names: dict[int, str] = {}
        for name in sorted(self._names):
            names.setdefault(self._root(self._names[name]), name)
        return [names[self._root(document)] for document in range(len(self.parent))]

    def _number(self, name: str) -> int:
        if name not in self._names:
            self._names[name] = len(self.parent)
            self.parent.append(len(self.parent))
        return self._names[name]

    def _link(self, document: int, compared: Compared) -> None:
        key = digest(compared)
        if key in self._owners:
            self._join(document, self._owners[key])
            return
        self._owners[key] = document
        index = self._near[compared.part]
        for other in index.similar(compared.text):
            self._join(document, int(other))
        index.add(str(document), compared.text)

    def _join(self, a: int, b: int) -> None:
        first, other = sorted((self._root(a), self._root(b)))
        self.parent[other] = first

    def _root(self, document: int) -> int:
        while self.parent[document] != document:
            self.parent[document] = self.parent[self.parent[document]]
            document = self.parent[document]
        return document


def _check_share(test_share: float) -> None:
    if not 0 < test_share <= MAX_TEST_SHARE:
        raise ConfigurationError(
            f"test_share is {test_share}; it must be over 0 and at most {MAX_TEST_SHARE}"
        )


def _check_sides(sizes: dict[str, int], test_rows: int, wanted: int, documents: int) -> None:
    rows = sum(sizes.values())
    if not rows:
        raise DataError("there are no rows to split; generate some first, or name another file")
    largest = max(sizes.values())
    if documents < 2:
        raise DataError(
            f"a split by document needs at least 2 documents; the {rows} rows come from one: crawl more, or write "
            "more than one document_id"
        )
    if len(sizes) < 2 or (test_rows < _SWALLOWED * wanted and largest > rows - wanted):
        raise DataError(
            f"{largest} of {rows} rows are linked by questions or answers that are the same or nearly so, which leaves "
            f"{test_rows} of {wanted} rows to test on: remove the texts that repeat, raise near_threshold, or set "
            "answers to false if answers are filled-in templates"
        )


def _write(rows: Iterable[Row], folder: Path, in_test: Sequence[bool]) -> None:
    """Both files are replaced when both are complete."""
    with whole_file(folder / TRAIN_FILE) as train, whole_file(folder / TEST_FILE) as test:
        written = 0
        for row in rows:
            if written < len(in_test):
                (test if in_test[written] else train).write(json_line(as_stored(row)))
            written += 1
        if written != len(in_test):
            raise DataError(
                f"the rows changed while they were split: {len(in_test)} at first, then {written}; write them to a "
                "file first"
            )
        for file in (train, test):  # a full disk must not let one be replaced without the other
            file.flush()
            os.fsync(file.fileno())


def _choose(sizes: dict[str, int], wanted: int, seed: int) -> frozenset[str]:
    """Whole groups of at most ``wanted`` rows together, in an order that follows from ``seed``; at least one."""
    chosen: set[str] = set()
    taken = 0
    for group in sorted(sizes, key=lambda g: sha256_of(f"{seed}:{g}")):
        if taken + sizes[group] <= wanted:
            chosen.add(group)
            taken += sizes[group]
    return frozenset(chosen or {min(sizes, key=lambda g: (sizes[g], sha256_of(f"{seed}:{g}")))})
