"""Counts what the gates judge row by row: repeated questions, grounding, form of the answers, classes."""

import re
from array import array
from collections import Counter
from collections.abc import Iterator

from rag_llm_system.application.dataset.gates_report import (
    EXAMPLES,
    ClassCount,
    Example,
    GateResult,
    GateThresholds,
    SourceOf,
    gate,
    shown,
)
from rag_llm_system.application.dataset.grounding import Grounding, grounding
from rag_llm_system.application.dataset.overlap import (
    compared_texts,
    digest,
    has_context,
    is_label,
    normalised,
)
from rag_llm_system.domain.datasets import PreferenceRow, Row, turns_of

CLASS_KEYS = ("category", "kind", "generator")
_BALANCED_KEYS = ("category", "kind")
"""One generator may well have written all rows."""

_MISSING_SHOWN = 8
_CHAT_TOKEN = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>"
    r"|^(?:user|assistant|human|system)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSING = "\"'\u201d\u2019\u00bb)]*_` \n"
_BROKEN_OFF = ",(&/-\u2013\u2014"
_LIST_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+\S")


def format_problem(answer: str) -> str:
    """Why an answer does not read as one, or ""; a label, a list and a block of code may end without a full stop."""
    text = answer.strip()
    if token := _CHAT_TOKEN.search(text):
        return f"holds {token.group()!r}, which belongs to a chat template"
    if is_label(text):
        return ""
    if text[:1].islower():
        return "begins in the middle of a sentence"
    end = text.rstrip(_CLOSING)[-1:]
    complete = text.endswith("```") or _LIST_ITEM.match(text.splitlines()[-1])
    if (end.isalnum() or end in _BROKEN_OFF) and not complete:
        return "ends in the middle of a sentence"
    return ""


class Tally:
    """Figures of the rows added so far; of a row only a digest of its questions is kept, and a few examples."""

    def __init__(self, source_of: SourceOf | None, limits: GateThresholds) -> None:
        self.rows = {"train": 0, "test": 0}
        self.turns = self.context_rows = self.words = 0
        self._source_of, self._limits = source_of, limits
        self._questions: set[bytes] = set()
        self._asked = self._repeated = 0
        self._badly_formed = self._preferences = self._same_answers = 0
        self._shares = array("d")
        self._verbatim = self._without_source = 0
        self._classes: dict[str, Counter[str]] = {key: Counter() for key in CLASS_KEYS}
        self._examples: dict[str, list[tuple[float, Example]]] = {}

    def add(self, row: Row, side: str) -> None:
        self.rows[side] += 1
        place = f"{side} row {self.rows[side]}"
        turns = turns_of(row)
        self.turns += len(turns)
        self.context_rows += has_context(row)
        self.words += sum(len(answer.split()) for _, answer in turns)
        if side == "train":
            self._count_questions(row, place)
        self._count_format(row, place)
        self._count_grounding(row, place)
        if isinstance(row, PreferenceRow):
            self._count_pair(row, place)
        for key, counts in self._classes.items():
            if key in row.metadata:
                counts[str(row.metadata[key])] += 1

    @property
    def verbatim_answers(self) -> float | None:
        return self._verbatim / len(self._shares) if self._shares else None

    @property
    def examples(self) -> list[Example]:
        return [example for found in self._examples.values() for _, example in found]

    def classes(self) -> list[ClassCount]:
        return [
            ClassCount(key=key, name=name, rows=rows, share=round(rows / counts.total(), 4))
            for key, counts in self._classes.items()
            for name, rows in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ]

    def gates(self) -> Iterator[GateResult]:
        limits, rows = self._limits, self.rows["train"] + self.rows["test"]
        yield self._gate(
            "duplicates", self._repeated / self._asked if self._asked else None, limits.duplicates,
            f"{self._repeated} of {self._asked} questions of train came before",
        )  # fmt: skip
        yield from self._grounding_gates()
        yield gate(
            "format", 1 - self._badly_formed / rows if rows else None, "at least", limits.format,
            note=f"{self._badly_formed} of {rows} rows do not read as answers",
            examples=self.examples,
        )  # fmt: skip
        yield self._balance_gate()
        if self._preferences:
            yield self._gate(
                "same_answers", self._same_answers / self._preferences, limits.same_answers,
                f"{self._same_answers} of {self._preferences} rows prefer an answer to itself",
            )  # fmt: skip
        for side, least in (("train", limits.train_rows), ("test", limits.test_rows)):
            yield gate(f"{side}_rows", self.rows[side], "at least", least)

    def _gate(self, name: str, value: float | None, threshold: float, note: str) -> GateResult:
        return gate(name, value, "at most", threshold, note=note, examples=self.examples)

    def _grounding_gates(self) -> Iterator[GateResult]:
        limits, shares = self._limits, self._shares
        without = f"; {self._without_source} answers have no source" if self._without_source else ""
        if not shares:
            note = "not measured: there is no source text to compare the answers with"
            yield gate("grounding_mean", None, "at least", limits.grounding_mean, note=note)
            yield gate("ungrounded", None, "at most", limits.ungrounded, note=note)
            return
        mean = sum(shares) / len(shares)
        yield gate(
            "grounding_mean", mean, "at least", limits.grounding_mean,
            note=f"{len(shares)} answers, {self._verbatim} of them verbatim in the source{without}",
        )  # fmt: skip
        under = sum(share < limits.grounding_row for share in shares)
        note = f"{under} of {len(shares)} answers are under {limits.grounding_row:g}{without}"
        yield self._gate("ungrounded", under / len(shares), limits.ungrounded, note)

    def _balance_gate(self) -> GateResult:
        limit = self._limits.largest_class
        several = [
            (max(counts.values()) / counts.total(), key)
            for key in _BALANCED_KEYS
            if len(counts := self._classes[key]) > 1
        ]
        if not several:
            note = f"not measured: the rows name one {' and one '.join(_BALANCED_KEYS)} at most"
            return gate("largest_class", None, "at most", limit, note=note)
        share, key = max(several)
        name, rows = self._classes[key].most_common(1)[0]
        return self._gate("largest_class", share, limit, f"{rows} rows have the {key} {name!r}")

    def _count_questions(self, row: Row, place: str) -> None:
        for compared in compared_texts(row, answers=False):
            self._asked += 1
            key = digest(compared)
            if key in self._questions:
                self._repeated += 1
                self._keep("duplicates", place, compared.text, "came before", rank=self._repeated)
            self._questions.add(key)

    def _count_format(self, row: Row, place: str) -> None:
        problems = ((answer, format_problem(answer)) for _, answer in turns_of(row))
        answer, problem = next((found for found in problems if found[1]), ("", ""))
        if problem:
            self._badly_formed += 1
            self._keep("format", place, answer, problem, rank=self._badly_formed)

    def _count_grounding(self, row: Row, place: str) -> None:
        for answer, source in self._sources(row):
            if is_label(answer):
                continue
            if not source:
                self._without_source += 1
                continue
            found = grounding(answer, source)
            if found:
                self._shares.append(found.share)
                self._verbatim += found.verbatim
                self._keep_ungrounded(found, answer, place)

    def _sources(self, row: Row) -> Iterator[tuple[str, str]]:
        """(answer, source): what the turns before it bring as context, or what the row was made from."""
        turns = turns_of(row)
        if has_context(row):
            for n, (_, answer) in enumerate(turns, start=1):
                yield answer, "\n".join(question for question, _ in turns[:n])
            return
        source = self._source_of(row) if self._source_of else None
        for _, answer in turns:
            yield answer, source or ""

    def _keep_ungrounded(self, found: Grounding, answer: str, place: str) -> None:
        if found.share < self._limits.grounding_row:
            missing = ", ".join(found.missing[:_MISSING_SHOWN])
            reason = f"{found.share:.2f} in its source; not there: {missing}"
            self._keep("ungrounded", place, answer, reason, rank=found.share)

    def _count_pair(self, row: PreferenceRow, place: str) -> None:
        self._preferences += 1
        if normalised(row.chosen) == normalised(row.rejected):
            self._same_answers += 1
            reason = "chosen and rejected are the same"
            self._keep("same_answers", place, row.chosen, reason, rank=self._same_answers)

    def _keep(self, name: str, place: str, text: str, reason: str, *, rank: float) -> None:
        """The examples of lowest rank."""
        kept = self._examples.setdefault(name, [])
        if len(kept) == EXAMPLES and rank >= kept[-1][0]:
            return
        example = Example(gate=name, row=place, text=shown(text), reason=reason)
        kept.append((rank, example))
        kept.sort(key=lambda item: item[0])
        del kept[EXAMPLES:]
