"""Judges an index before answers come from it: is it good enough, and no worse than the one in use?

Each question of the golden set is asked in several ways, as answers are found and by the vectors alone, so that words
do not hide broken vectors. Every way must reach its floors. It must not be worse than the index in use was when it was
accepted (for a question that was not asked then: than the index in use is now): worse means that the interval of the
paired bootstrap lies below zero, and the mean by more than a tolerance, so a few questions that change places refuse
nothing. Documents that are new count for nothing in that comparison: more of them make every question harder.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag_llm_system.application.evaluation.bootstrap import paired_difference
from rag_llm_system.application.evaluation.gate_report import (
    MEASURES,
    Asked,
    Figure,
    GateConfig,
    GateReport,
)
from rag_llm_system.application.evaluation.gate_results import (
    Found,
    Results,
    Search,
    expected_documents,
    results_of,
)
from rag_llm_system.application.evaluation.golden import GoldenQuestion
from rag_llm_system.application.evaluation.metrics import Grades, mean, per_query
from rag_llm_system.application.indexing.candidate import documents_before
from rag_llm_system.application.indexing.candidate_store import CandidateStore
from rag_llm_system.application.indexing.reports import Candidate
from rag_llm_system.application.preprocessing.categories import SEARCHED, Category
from rag_llm_system.domain.errors import IncompatibleCollection, UnknownName
from rag_llm_system.domain.ports import VectorStore

NAMED_WORSE = 10

SearchesIn = Callable[[VectorStore], Mapping[str, Search]]
"""The ways of searching a store, by name; that of answers comes first."""


@dataclass(frozen=True)
class Examined:
    """The report, and the candidate's results: what is remembered when it is accepted."""

    report: GateReport
    results: Results


class Gate:
    """One store and the ways of searching it."""

    def __init__(
        self,
        store: VectorStore,
        searches_in: SearchesIn,
        config: GateConfig,
        table: Mapping[str, Category] = SEARCHED,
    ) -> None:
        self._store = store
        self._searches_in = searches_in
        self._config = config
        self._table = table

    def examine(
        self, candidate: Candidate, questions: Sequence[GoldenQuestion], accepted: Results
    ) -> Examined:
        """Judge the candidate by these questions, against the results that were accepted last.

        The index of another encoder is not judged, nor live, before it is complete: there are no results then.
        """
        expected = expected_documents(questions, self._store, self._table)
        asked = [question for question in questions if question.key in expected]
        links: dict[str, str] = {}
        view = CandidateStore(self._store, candidate)
        try:
            results = results_of(asked, self._searches_in(view), links)
        except IncompatibleCollection:
            note = "the index of the new encoder is not complete yet; answers come from the old one"
            return Examined(GateReport(passed=True, notes=(note,)), {})
        before = self._before(candidate, asked, accepted, links)
        in_use = documents_before(self._store, candidate) if before else set()
        comparison = _Comparison(expected, results, before, in_use)
        notes = []
        if gone := len(questions) - len(asked):
            notes.append(f"{gone} questions name links that are not indexed any more: left out")
        return Examined(self._report(asked, comparison, notes, links), results)

    def _before(
        self,
        candidate: Candidate,
        asked: Sequence[GoldenQuestion],
        accepted: Results,
        links: dict[str, str],
    ) -> dict[str, Found]:
        """What was accepted; what the index in use finds now for other questions, where that can still be asked."""
        known = {one.key: accepted[one.key] for one in asked if one.key in accepted}
        others = [one for one in asked if one.key not in accepted]
        if (
            not others
            or candidate.in_place
            or candidate.changes_nothing
            or not self._store.aliases()
        ):
            return known
        try:
            return known | results_of(others, self._searches_in(self._store), links)
        except IncompatibleCollection:  # it is another encoder's, which is not at hand
            return known

    def _report(
        self,
        asked: Sequence[GoldenQuestion],
        comparison: "_Comparison",
        notes: list[str],
        links: Mapping[str, str],
    ) -> GateReport:
        figures = tuple(comparison.figures(self._config)) if asked else ()
        rows = list(comparison.asked(asked, links))
        worst: dict[str, Asked] = {}
        for row in sorted(rows, key=lambda row: (-row.loss, row.question)):
            if row.loss > 0:
                worst.setdefault(row.question, row)
        worst_figures: dict[str, Figure] = {}
        for figure in figures:
            if figure.verdict != "good":
                worst_figures.setdefault(figure.way, figure)
        reasons = [figure.told for figure in worst_figures.values()]
        if len(asked) < self._config.min_questions:
            notes.append(
                f"{len(asked)} questions are too few to judge by; min_questions is {self._config.min_questions}"
            )
            reasons = []
        if comparison.nothing_found:
            reasons.append("it finds nothing at all")
        return GateReport(
            passed=not reasons,
            reasons=tuple(reasons),
            notes=tuple(notes),
            figures=figures,
            worse=tuple(worst.values())[:NAMED_WORSE],
            questions=tuple(sorted(rows, key=lambda row: (row.way, -row.loss, row.question))),
        )


@dataclass(frozen=True)
class _Comparison:
    """Of results with those before, by question."""

    expected: Mapping[str, Grades]
    results: Results
    before: Results
    in_use: Collection[str]

    @property
    def nothing_found(self) -> bool:
        found = [found for ways in self.results.values() for found in ways.values()]
        return bool(found) and not any(found)

    def figures(self, config: GateConfig) -> Iterator[Figure]:
        ways = next(iter(self.results.values()))
        if unknown := sorted(config.floors.keys() - ways.keys()):
            raise UnknownName("way of searching", unknown[0], ways)
        for way in ways:
            floors = config.floors.get(way, {})
            for measure in MEASURES:
                yield self._figure(way, measure, floors.get(measure), config.max_regression)

    def asked(
        self, questions: Sequence[GoldenQuestion], links: Mapping[str, str]
    ) -> Iterator[Asked]:
        for question in questions:
            for way, found in self.results[question.key].items():
                before = self.before.get(question.key, {}).get(way)
                yield Asked(
                    question=question.question,
                    expected=question.link,
                    kind=question.kind,
                    way=way,
                    rank=self._rank(question.key, found),
                    rank_before=None if before is None else self._rank(question.key, before),
                    first=links.get(found[0], "") if found else "",
                )

    def _figure(self, way: str, measure: str, floor: float | None, max_regression: float) -> Figure:
        now = {key: ways[way] for key, ways in self.results.items()}
        value = mean(per_query(measure, now, self.expected))
        figure = Figure(
            way=way,
            measure=measure,
            mean=value,
            floor=floor,
            verdict="too low" if floor is not None and value < floor else "good",
        )
        before = {key: ways[way] for key, ways in self.before.items() if way in ways}
        if not before:
            return figure
        judged = {key: self.expected[key] for key in before}
        alike = {key: self._among_those_in_use(key, now[key]) for key in before}
        change = paired_difference(
            per_query(measure, alike, judged), per_query(measure, before, judged)
        )
        worse = change.high < 0 and -change.mean > max_regression
        return figure.model_copy(
            update={
                "compared": len(before),
                "difference": change.mean,
                "low": change.low,
                "high": change.high,
                "verdict": "worse" if worse else figure.verdict,
            }
        )

    def _among_those_in_use(self, key: str, found: Sequence[str]) -> Sequence[str]:
        """Without the documents that the index in use does not have, unless the expected one is among them."""
        if self.expected[key].keys().isdisjoint(self.in_use):
            return found
        return [document for document in found if document in self.in_use]

    def _rank(self, key: str, found: Sequence[str]) -> int:
        ranks = (n for n, one in enumerate(found[:10], start=1) if one in self.expected[key])
        return next(ranks, 0)
