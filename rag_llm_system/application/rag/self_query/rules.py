"""Self-query by rules: what a question says about its sources, read without a model."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Protocol

from rag_llm_system.application.rag.self_query import words
from rag_llm_system.application.rag.self_query.author_cues import Found
from rag_llm_system.application.rag.self_query.authors import find_authors
from rag_llm_system.application.rag.self_query.cast import find_cast
from rag_llm_system.application.rag.self_query.conditions import any_of, none_of, within
from rag_llm_system.application.rag.self_query.dates import When, find_dates
from rag_llm_system.application.rag.self_query.sources import FILMS, IN_CODE, Named, Sources
from rag_llm_system.application.rag.self_query.text import Token, tokens_of
from rag_llm_system.application.rag.self_query.vocabulary import (
    AUTHOR,
    CAST,
    CATEGORY,
    GENRES,
    LANGUAGE,
    PLATFORM,
    PUBLISHED,
    REPOSITORY,
    YEAR,
    Vocabulary,
)
from rag_llm_system.domain.queries import Condition, Interpretation


class SelfQuery(Protocol):
    """Reads in a question what it asks of its sources; never writes."""

    def interpret(self, question: str) -> Interpretation: ...


class RuleSelfQuery:
    """Conditions that the words of a question state plainly; in doubt none, as a wrong one hides the answer."""

    def __init__(self, vocabulary: Vocabulary, *, today: Callable[[], date]) -> None:
        self._known = vocabulary
        self._today = today

    def interpret(self, question: str) -> Interpretation:
        tokens = tokens_of(question)
        reading = _Reading(question, tokens, self._known)
        return Interpretation(conditions=tuple(reading.conditions(self._today())))


class _Reading:
    """One question."""

    def __init__(self, question: str, tokens: tuple[Token, ...], known: Vocabulary) -> None:
        self._question = question
        self._tokens = tokens
        self._known = known
        self._authors = find_authors(tokens, question, known)
        self._cast = find_cast(tokens, question, known.cast)
        self._sources = Sources(tokens, known, self._authors, self._cast)
        self._categories = self._sources.categories()
        self._of_films, self._genres = self._sources.films(self._categories, self._cast)

    def conditions(self, today: date) -> Iterator[Condition]:
        yield from self._author_conditions()
        yield from self._any_of(PLATFORM, self._sources.platforms())
        yield from self._any_of(CATEGORY, self._categories)
        repositories = self._sources.repositories()
        yield from self._any_of(REPOSITORY, repositories)
        of_code = bool(repositories) or any(one.value == IN_CODE for one in self._categories)
        yield from self._any_of(LANGUAGE, self._sources.languages(of_code=of_code))
        if self._of_films:
            yield from self._any_of(GENRES, self._genres)
            yield from self._any_of(CAST, self._cast)
        yield from self._date_conditions(today)

    def _author_conditions(self) -> Iterator[Condition]:
        named = [one for one in self._authors if not one.excluded]
        excluded = [name for one in self._authors if one.excluded for name in one.names]
        names = [name for one in named for name in one.names if name not in excluded]
        if names:
            yield any_of(AUTHOR, names, self._evidence(named))
        elif excluded:
            found = none_of(excluded, self._known, self._evidence(self._authors))
            if found is not None:
                yield found

    def _any_of(self, field: str, named: Sequence[Named]) -> Iterator[Condition]:
        if named:
            values = [value for one in named for value in one.values]
            yield any_of(field, values, self._evidence(named))

    def _date_conditions(self, today: date) -> Iterator[Condition]:
        field = YEAR if self._of_films else PUBLISHED
        if field not in self._known.numbers:
            return
        if not (self._of_films or self._authors or self._categories):
            return
        found = find_dates(self._tokens, today, self._taken(), self._nouns())
        if field == PUBLISHED:
            found = [one for one in found if one.days[0] is None or one.days[0] <= today]
        firsts = [one.days[0] for one in found if one.days[0] is not None]
        lasts = [one.days[1] for one in found if one.days[1] is not None]
        first, last = max(firsts, default=None), min(lasts, default=None)
        if found and (first is None or last is None or first <= last):
            yield within(field, (first, last), self._evidence(found))

    def _taken(self) -> set[int]:
        """Words of authors; a year in front of what they wrote still is one."""
        spans = (range(one.start, one.end) for one in self._authors)
        return {n for span in spans for n in span if not self._tokens[n].key.isdigit()}

    def _nouns(self) -> set[int]:
        """Words that a year may stand in front of: ``2023`` articles, ``late 90s`` thrillers."""
        documents = {n for n, token in enumerate(self._tokens) if token.key in words.DOCUMENTS}
        genres = {one.start for one in self._genres}
        films = {one.start for one in self._categories if one.value == FILMS}
        return documents | genres | films

    def _evidence(self, found: Sequence[Found | Named | When]) -> str:
        parts = (
            self._question[self._tokens[one.start].start : self._tokens[one.end - 1].end]
            for one in found
        )
        return ", ".join(dict.fromkeys(parts))
