"""The movie assistant recommends films of the index that the user has not seen, and says how sure that is."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

import pytest

from rag_llm_system.application.movies.assistant import MovieAssistant
from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.movies.layout import LayoutWriter
from rag_llm_system.application.movies.preferences import Preferences
from rag_llm_system.application.movies.prompt import LLMFilmWriter
from rag_llm_system.application.movies.writing import LISTED, FilmWriter
from rag_llm_system.application.rag.asking import Asked, Assistant, Piece
from rag_llm_system.application.rag.prepared import Found
from rag_llm_system.domain.answers import Answer, Message
from rag_llm_system.domain.errors import DataError, DeadlineExceeded, MissingFile
from rag_llm_system.domain.ports import Span, Tracer
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.llms.scripted import ScriptedLLM
from rag_llm_system.infrastructure.tracing.off import OffTracer
from tests.unit.application.movies.offered_films import CATALOGUE, FirstFilms, memory_preferences

ASKED = Asked(query=Query(text="a science fiction film"), k=3, user="ada")
FILMS = ["Dark City (1998)", "Tenet (2020)", "Sunshine (2007)"]


def assistant(
    writer: FilmWriter | None = None,
    preferences: Preferences | None = None,
    tracer: Tracer | None = None,
    **more: Any,
) -> MovieAssistant:
    return MovieAssistant(
        more.pop("recommender", None) or FirstFilms(),
        preferences or memory_preferences(),
        more.pop("catalogue", lambda: CATALOGUE),
        writer or LayoutWriter(),
        tracer or OffTracer(),
        **more,
    )


def model(*answers: str) -> LLMFilmWriter:
    return LLMFilmWriter(ScriptedLLM(answers))


def asked(text: str, *history: str, **more: Any) -> Asked:
    turns = [
        Message.model_validate({"role": ("user", "assistant")[n % 2], "content": turn})
        for n, turn in enumerate(history)
    ]
    fields = {"k": 3, "user": "ada", **more}
    return Asked(query=Query(text=text), history=tuple(turns), **fields)


def titles(answer: Answer) -> list[str]:
    return [source.title for source in answer.sources]


async def events_of(one: Assistant, question: Asked = ASKED) -> list[Found | Piece | Answer]:
    async with aclosing(one.events(question)) as events:
        return [event async for event in events]


def test_the_pieces_come_between_the_sources_and_the_whole_answer() -> None:
    found, *pieces, answer = asyncio.run(events_of(assistant()))
    assert isinstance(found, Found)
    assert isinstance(answer, Answer)
    assert "".join(one.text for one in pieces if isinstance(one, Piece)) == answer.text
    assert [(one.n, one.title) for one in found.sources] == list(enumerate(FILMS, start=1))
    assert found.notes == answer.notes == ("understood: of the genre Science Fiction",)
    assert [one.cited for one in answer.sources] == [True, True, True]
    assert (answer.grounded, answer.model) == (True, "extractive")
    assert answer.confidence is not None
    assert (answer.confidence.value, answer.confidence.level) == (0.9, "high")
    assert {"understand", "preferences", "recommend", "generate"} <= answer.timings_s.keys()


def test_an_answer_at_once_is_the_same() -> None:
    *_, streamed = asyncio.run(events_of(assistant()))
    assert isinstance(streamed, Answer)
    assert assistant().answer(ASKED).text == streamed.text


def test_what_was_seen_or_shown_before_is_not_recommended() -> None:
    preferences = memory_preferences()
    preferences.tell("ada", "seen: Alien, Tenet")
    one = assistant(preferences=preferences)
    first = one.answer(ASKED)
    assert titles(first) == ["Dark City (1998)", "Sunshine (2007)", "Inception (2010)"]
    shown = "1. **Dark City** (1998)\n2. **Inception** (2010)"
    again = one.answer(asked("something else", "a science fiction film", shown))
    assert titles(again) == ["Sunshine (2007)"]
    assert again.condensed == "a science fiction film; something else"
    assert titles(one.answer(ASKED.model_copy(update={"user": "bob"}))) == FILMS


def test_only_the_users_own_taste_is_told_to_the_recommender() -> None:
    preferences, recommender = memory_preferences(), FirstFilms()
    preferences.add("ada", "I like science fiction")
    one = assistant(preferences=preferences, recommender=recommender)
    for user in ("ada", "bob", ""):
        one.answer(ASKED.model_copy(update={"user": user}))
    assert [len(found) for _, found, *_ in recommender.asked] == [1, 0, 0]


def test_a_number_of_films_in_the_request_counts() -> None:
    recommender = FirstFilms()
    assistant(recommender=recommender).answer(asked("two science fiction films", k=5))
    assert recommender.asked[0][3] == 2


def test_without_self_query_the_request_stays_as_it_is() -> None:
    answer = assistant().answer(asked("a horror film", k=20, self_query=False))
    assert len(answer.sources) == len(CATALOGUE)
    assert answer.notes == ()


def test_a_model_names_only_films_that_were_found_with_their_computed_confidence() -> None:
    written = (
        "You'll love these!\n\n1. **Memento** (2000)\n   Description: memory.\n   Confidence: 0.99\n\n"
        "2. **Tenet** (2020)\n   Description: time.\n   Confidence score: 0.99\n"
    )
    answer = assistant(model(written)).answer(ASKED)
    assert answer.text == (
        "You'll love these!\n\n1. **Tenet** (2020)\n   Description: time.\n   Confidence: 0.80"
    )
    assert answer.grounded
    assert [one.cited for one in answer.sources] == [False, True, False]
    assert answer.notes[-1].startswith("Left out of the answer: 'Memento (2000)'")


def test_what_a_model_writes_is_streamed_as_it_is_answered() -> None:
    written = "You'll love\nthese!\n1. **Tenet** (2020) [2]\n2. **Gone** text\n\n   Confidence: 1.0"
    *pieces, answer = asyncio.run(events_of(assistant(model(written))))
    assert isinstance(answer, Answer)
    assert "".join(one.text for one in pieces if isinstance(one, Piece)) == answer.text
    assert "Gone" not in answer.text


@pytest.mark.parametrize("written", ["", "1. **Memento** (2000): memory.", "Try **Memento**!"])
def test_a_model_that_names_none_of_the_films_is_followed_by_the_list(written: str) -> None:
    answer = assistant(model(written)).answer(ASKED)
    assert "1. **Dark City** (1998)" in answer.text
    assert LISTED in answer.notes
    assert all(one.cited for one in answer.sources)
    assert answer.grounded == ("Try" not in written)  # which cannot be taken back


def test_a_model_may_say_that_none_of_them_fits() -> None:
    answer = assistant(model("None of the films fits that.")).answer(ASKED)
    assert (answer.text, answer.grounded) == ("None of the films fits that.", False)


def test_where_no_film_fits_it_says_so_and_asks_no_model() -> None:
    llm = ScriptedLLM()
    answer = assistant(LLMFilmWriter(llm)).answer(asked("a horror film from 2020"))
    assert (
        answer.text == "I have no film for that (from 2020, of the genre Horror). No film is left."
    )
    assert (answer.sources, answer.grounded, answer.confidence, llm.asked) == ((), False, None, [])


def test_retrieval_gives_the_whole_texts_of_the_candidates() -> None:
    found = asyncio.run(assistant().aretrieve(ASKED))
    assert [chunk.title for chunk in found.context.chunks] == FILMS
    assert found.context.chunks[0].content.startswith("Dark City is a 1998 American film")
    assert found.context.chunks == assistant().retrieve(ASKED).context.chunks


def test_without_films_the_command_that_indexes_them_is_named() -> None:
    with pytest.raises(MissingFile, match="poe movies-index"):
        assistant(catalogue=lambda: FilmCatalogue([])).answer(ASKED)


def test_filters_are_refused_rather_than_overlooked() -> None:
    filtered = Asked(query=Query(text="a film", where={"platform": "x"}))
    with pytest.raises(DataError, match="films are not filtered by platform"):
        assistant().answer(filtered)


def test_the_deadline_is_kept_between_stages_and_pieces() -> None:
    seconds = iter(range(1000))
    late = assistant(model("word " * 500), clock=lambda: float(next(seconds)))
    with pytest.raises(DeadlineExceeded, match="generation"):
        late.answer(ASKED.model_copy(update={"deadline_s": 20.0}))
    with pytest.raises(DeadlineExceeded, match="understand"):
        late.answer(ASKED.model_copy(update={"deadline_s": 0.5}))


class Endless(ScriptedLLM):
    """Goes on until it is closed."""

    closed = False

    async def astream(self, messages: Sequence[Message], **_: Any) -> AsyncGenerator[str]:
        try:
            while True:
                yield "word "
                await asyncio.sleep(0)
        finally:
            self.closed = True


def test_whoever_leaves_ends_the_generation() -> None:
    llm = Endless()

    async def leave() -> None:
        async with aclosing(assistant(LLMFilmWriter(llm)).events(ASKED)) as events:
            async for event in events:
                if isinstance(event, Piece):
                    return

    asyncio.run(leave())
    assert llm.closed


def test_its_stages_are_traced() -> None:
    names: list[str] = []

    class Names(OffTracer):
        @contextmanager
        def span(self, name: str, **described: Mapping[str, Any]) -> Iterator[Span]:
            names.append(name)
            with OffTracer.span(self, name, **described) as span:
                yield span

    assistant(tracer=Names()).answer(ASKED)
    assert names == ["rag", "understand", "preferences", "recommend", "generate"]
