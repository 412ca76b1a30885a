"""Self-query by a language model: it proposes, and only values that the stores know become conditions."""

import logging
from collections.abc import Callable, Iterator
from datetime import date

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag_llm_system.application.rag.self_query.conditions import Days, any_of, none_of, within
from rag_llm_system.application.rag.self_query.prompt import self_query_prompt
from rag_llm_system.application.rag.self_query.rules import RuleSelfQuery
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
from rag_llm_system.domain.ports import LLM
from rag_llm_system.domain.queries import Condition, Interpretation

_MAX_TOKENS = 300
_LISTED = 50
"""Values of a field that the prompt may hold; more would cost more than they tell."""

_logger = logging.getLogger(__name__)

Year = Field(default=None, ge=1, le=9999)


class _Answer(BaseModel):
    """What the model must answer; keys that it invents are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    authors: tuple[str, ...] = ()
    not_authors: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    published_from: date | None = None
    published_to: date | None = None
    year_from: int | None = Year
    year_to: int | None = Year


class LLMSelfQuery:
    """Asks the model once, at temperature 0; an answer that is not what was asked for leaves it to the rules."""

    def __init__(self, llm: LLM, vocabulary: Vocabulary, *, today: Callable[[], date]) -> None:
        self._llm = llm
        self._known = vocabulary
        self._today = today
        self._rules = RuleSelfQuery(vocabulary, today=today)

    def interpret(self, question: str) -> Interpretation:
        """Raises BackendError when the model cannot be reached."""
        known = {
            field: values if len(values) <= _LISTED else ()
            for field in (PLATFORM, CATEGORY, LANGUAGE, REPOSITORY, GENRES)
            if (values := self._known.known(field))
        }
        prompt = self_query_prompt(question, self._today(), known)
        written = "".join(self._llm.stream(prompt, max_tokens=_MAX_TOKENS, temperature=0.0))
        try:
            answer = _Answer.model_validate_json(_json_object(written))
        except ValidationError as error:
            _logger.warning(
                "self-query: %s answered with no valid conditions (%s); the rules read the question",
                self._llm.model_id,
                error.errors()[0]["msg"],
            )
            return self._rules.interpret(question)
        return Interpretation(conditions=tuple(self._conditions(answer)))

    def _conditions(self, answer: _Answer) -> Iterator[Condition]:
        known = self._known
        excluded = _known(answer.not_authors, known.authors.named)
        authors = [
            one for one in _known(answer.authors, known.authors.named) if one not in excluded
        ]
        if authors:
            yield any_of(AUTHOR, authors, "")
        elif excluded and (others := none_of(excluded, known, "")) is not None:
            yield others
        for field, proposed, named in (
            (PLATFORM, answer.platforms, known.platforms.named),
            (CATEGORY, answer.categories, known.categories.named),
            (REPOSITORY, answer.repositories, known.repositories.named),
            (LANGUAGE, answer.languages, known.languages.named),
            (GENRES, answer.genres, known.genres.named),
            (CAST, answer.cast, known.cast.named),
        ):
            if values := _known(proposed, named):
                yield any_of(field, values, "")
        first = None if answer.year_from is None else date(answer.year_from, 1, 1)
        last = None if answer.year_to is None else date(answer.year_to, 12, 31)
        yield from self._days(YEAR, (first, last))
        yield from self._days(PUBLISHED, (answer.published_from, answer.published_to))

    def _days(self, field: str, days: Days) -> Iterator[Condition]:
        first, last = days
        if field not in self._known.numbers or (first is None and last is None):
            return
        if first is None or last is None or first <= last:
            yield within(field, days, "")


def _known(proposed: tuple[str, ...], named: Callable[[str], tuple[str, ...]]) -> list[str]:
    return [value for one in proposed for value in named(one)]


def _json_object(written: str) -> str:
    """From the first brace to the last: models like to put words or a fence around it."""
    return written[written.find("{") : written.rfind("}") + 1]
