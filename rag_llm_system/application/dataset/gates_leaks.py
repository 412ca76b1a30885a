"""Finds test rows that repeat a text of train, word for word or nearly."""

from collections.abc import Iterable

from rag_llm_system.application.dataset.gates_report import (
    EXAMPLES,
    Example,
    GateResult,
    GateThresholds,
    gate,
    shown,
)
from rag_llm_system.application.dataset.near_duplicates import NearDuplicates
from rag_llm_system.application.dataset.overlap import Compared, compared_texts, digest
from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.documents import sha256_of


def leak_gates(
    train: Iterable[Row], test: Iterable[Row], limits: GateThresholds
) -> tuple[list[GateResult], list[Example]]:
    """Reads train once and test twice; what is kept grows with the test rows alone."""
    texts = _TestTexts(limits)
    for row in test:
        texts.add(row)
    if not texts.rows:
        note = "not measured: there are no test rows"
        return [
            gate("leaks_exact", None, "at most", limits.leaks_exact, note=note),
            gate("leaks_near", None, "at most", limits.leaks_near, note=note),
        ], []
    for number, row in enumerate(train, start=1):
        texts.look_up(row, number)
    near = {row: found for row, found in texts.near.items() if row not in texts.exact}
    examples = [
        *_examples("leaks_exact", texts.exact, test),
        *_examples("leaks_near", near, test),
    ]
    near_note = f"of {texts.rows} test rows, beside the exact ones; similarity {limits.near_threshold:g} and over"
    return [
        gate(
            "leaks_exact", len(texts.exact), "at most", limits.leaks_exact,
            note=texts.note(), examples=examples,
        ),
        gate("leaks_near", len(near), "at most", limits.leaks_near, note=near_note, examples=examples),
    ], examples  # fmt: skip


class _TestTexts:
    """The texts of the test rows, and the train row in which the first text of each was found."""

    def __init__(self, limits: GateThresholds) -> None:
        self.rows = 0
        self.exact: dict[int, tuple[int, str]] = {}
        self.near: dict[int, tuple[int, str]] = {}
        self._answers = limits.answers
        self._owners: dict[bytes, list[tuple[int, str]]] = {}
        self._index = {
            part: NearDuplicates(limits.near_threshold) for part in ("question", "answer")
        }
        self._identical: set[int] = set()
        self._rows_of = {"question": set[int](), "answer": set[int]()}
        self._texts_of = {"question": set[bytes](), "answer": set[bytes]()}

    def add(self, row: Row) -> None:
        self.rows += 1
        for compared in compared_texts(row, answers=self._answers):
            owners = self._owners.setdefault(digest(compared), [])
            owners.append((self.rows, sha256_of(compared.text)))
            self._index[compared.part].add(str(self.rows), compared.text)

    def look_up(self, row: Row, number: int) -> None:
        """``number`` is that of the train row."""
        for compared in compared_texts(row, answers=self._answers):
            key = digest(compared)
            if key in self._owners:
                self._found(compared, key, number)
            for other in self._index[compared.part].similar(compared.text):
                self.near.setdefault(int(other), (number, compared.text))

    def note(self) -> str:
        questions, answers = (
            f"{len(self._rows_of[part])} by {part} ({len(self._texts_of[part])} different)"
            for part in ("question", "answer")
        )
        return f"of {self.rows} test rows: {questions}, {answers}; {len(self._identical)} character by character"

    def _found(self, compared: Compared, key: bytes, number: int) -> None:
        raw = sha256_of(compared.text)
        self._texts_of[compared.part].add(key)
        for row, text in self._owners[key]:
            self.exact.setdefault(row, (number, compared.text))
            self._rows_of[compared.part].add(row)
            if text == raw:
                self._identical.add(row)


def _examples(name: str, found: dict[int, tuple[int, str]], test: Iterable[Row]) -> list[Example]:
    chosen = sorted(found)[:EXAMPLES]
    if not chosen:
        return []
    texts = {
        n: next(compared_texts(row)).text for n, row in enumerate(test, start=1) if n in chosen
    }
    return [
        Example(
            gate=name,
            row=f"test row {n}",
            text=shown(texts[n]),
            reason=f"train row {found[n][0]}: {shown(found[n][1])}",
        )
        for n in chosen
    ]
