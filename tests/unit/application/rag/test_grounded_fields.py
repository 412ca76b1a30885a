"""Templates declare what of an answer comes from the context; the passages give the values."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from rag_llm_system.application.rag.answer import Answering, AnswerWriter, LLMWriter
from rag_llm_system.application.rag.budget import Budget
from rag_llm_system.application.rag.grounded_fields import SOURCES, from_context, titles
from rag_llm_system.application.rag.prompt_templates import (
    CODE,
    MOVIES,
    PROSE,
    ContextField,
    template_for,
)
from rag_llm_system.domain.answers import Answer, Context, ContextChunk, Message
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.llms.scripted import ScriptedLLM
from rag_llm_system.infrastructure.tracing.off import OffTracer
from tests.unit.application.rag.retrieved import chunk

QUESTION = "Which space horror film is there?"


def film(n: int, title: str, content: str = "A space horror film.", **more: Any) -> ContextChunk:
    return chunk(n, content, title=title, category="movies", **more)


class HeldLLM(ScriptedLLM):
    """One that can be held to the context; ``held`` keeps what it was held to."""

    def __init__(self, answers: Sequence[str]) -> None:
        super().__init__(answers)
        self.held: list[Sequence[FromContext]] = []

    def stream_from_context(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        from_context: Sequence[FromContext],
    ) -> Iterator[str]:
        self.held.append(from_context)
        return self.stream(messages, max_tokens=max_tokens, temperature=temperature)


def written(llm: ScriptedLLM, *passages: ContextChunk, **options: Any) -> Answer:
    writer = LLMWriter(llm, max_tokens=50, temperature=0.0, **options)
    return written_by(writer, *passages)


def written_by(writer: AnswerWriter, *passages: ContextChunk) -> Answer:
    return Answering(Nowhere(), writer, OffTracer()).write(QUESTION, Context(chunks=passages))


class Nowhere:
    """Finds nothing."""

    def retrieve(self, query: Query, k: int, *, self_query: bool, budget: Budget) -> Context:
        return Context(chunks=[])


def test_a_title_has_the_years_that_stand_behind_it() -> None:
    passages = [
        film(1, "Alien", "Alien (1979) is a space horror film."),
        film(2, "Dune (1984)"),
        film(3, "Dune", "**Dune** (2021) came later than Alien (1977)."),
        film(4, "Heat", "A film of 1995."),
        film(5, ""),
    ]
    assert titles(passages) == {
        "Alien": (" (1979)",),
        "Dune": (" (1984)", " (2021)"),
        "Heat": (),
    }


def test_a_title_is_allowed_as_the_model_is_shown_it() -> None:
    assert list(titles([film(1, "The <|eot_id|>\n  End")])) == ["The < |eot_id|> End"]


def test_a_title_that_its_marks_cannot_enclose_is_left_out() -> None:
    bold = ContextField("title", open="**", close="**")

    (field,) = from_context([bold], [film(1, "A**B"), film(2, "M*A*S*H"), film(3, "Stars*")])

    assert field == FromContext(name="title", open="**", close="**", values=("M*A*S*H",))


def test_films_are_written_about_by_the_movie_assistant_with_titles_from_the_context() -> None:
    assert template_for([film(1, "Alien"), chunk(2, "Prose.")]) is MOVIES
    assert template_for([film(1, "Alien"), chunk(2, "Prose."), chunk(3, "Prose.")]) is PROSE
    assert [field.open for field in MOVIES.from_context] == ["**"]
    assert (PROSE.from_context, CODE.from_context) == ((), ())
    assert str(MOVIES) == "answer-movies-1"


@pytest.mark.parametrize("template", [PROSE, CODE, MOVIES])
def test_every_declared_field_has_a_source(template: Any) -> None:
    assert {field.name for field in template.from_context} <= set(SOURCES)


def test_a_model_that_can_be_held_to_the_context_is() -> None:
    llm = HeldLLM(["See **Alien** (1979) [1]."])

    answer = written(llm, film(1, "Alien", "Alien (1979) is a space horror film."))

    ((field,),) = llm.held
    assert (field.values, field.suffixes) == (("Alien",), {"Alien": (" (1979)",)})
    assert answer.text == "See **Alien** (1979) [1]."


def test_it_is_not_held_where_that_is_off_or_the_template_declares_nothing() -> None:
    off, prose = HeldLLM(["See **Alien** [1]."]), HeldLLM(["**It** is [1]."])

    written(off, film(1, "Alien"), grounded_decoding=False)
    answer = written(prose, chunk(1, "A space horror film."))

    assert off.held == prose.held == []
    assert answer.text == "**It** is [1]."


@pytest.mark.parametrize("held", [True, False])
def test_a_title_that_is_made_up_nevertheless_is_unmarked_and_noted(held: bool) -> None:
    said = "See **Amadeus** or **alien** [1]."
    llm = HeldLLM([said]) if held else ScriptedLLM([said])

    answer = written(llm, film(1, "Alien"))

    assert answer.text == "See Amadeus or **Alien** [1]."
    assert answer.notes[-2:] == (
        "Corrected from the sources: 'alien' is 'Alien'.",
        "Careful: the sources have no 'Amadeus', which this answer names.",
    )


class Quoting:
    """Writes down what a source says, as it is."""

    model_id = "quoting"

    def write(self, question: str, passages: Sequence[ContextChunk]) -> Iterator[str]:
        yield f"{passages[0].content} [1]"


def test_what_is_quoted_from_the_sources_is_not_checked() -> None:
    said = "A space horror film like **Heat** is there."

    answer = written_by(Quoting(), film(1, "Alien", said))

    assert answer.text == f"{said} [1]"
