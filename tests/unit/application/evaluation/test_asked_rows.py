import pytest
from asked_rows import LIBRARY, TITLES, film_row

from rag_llm_system.application.evaluation.answers.asked import (
    asked_of,
    numbered_sources,
    without_context,
)
from rag_llm_system.application.evaluation.answers.fields import titles_from_context
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import PreferenceRow, TrainingRow
from rag_llm_system.domain.errors import DataError


def chat(*said: str) -> TrainingRow:
    roles = ("user", "assistant")
    return TrainingRow(
        messages=[Message(role=roles[n % 2], content=text) for n, text in enumerate(said)]
    )


def test_context_and_question_are_told_apart():
    asked = asked_of(film_row())

    assert asked.question == "One sci-fi film, please."
    assert asked.context == LIBRARY
    assert (asked.titles, asked.picks, asked.matches) == (TITLES, ("Alien",), ("Alien",))
    assert not asked.missing


def test_bold_titles_of_the_context_count_where_the_row_names_none():
    row = film_row().model_copy(update={"metadata": {}})

    assert asked_of(row).titles == TITLES


def test_a_later_question_keeps_the_context_of_the_first():
    row = film_row()
    asked = [
        Message(role="user", content="Question: And a funny one?"),
        Message(role="assistant", content="Yes!"),
    ]

    later = asked_of(row.model_copy(update={"messages": (*row.messages, *asked)}))

    assert (later.question, later.reference) == ("And a funny one?", "Yes!")
    assert later.context == LIBRARY


def test_the_sources_of_an_answer_prompt_are_its_context():
    prompt = "<sources>\n[1] Stores (link)\nIn files.\n</sources>\n\nQuestion: Where?\nOn disk?\n\nAnswer:"

    asked = asked_of(chat(prompt, "In files [1]."))

    assert asked.question == "Where?\nOn disk?"
    assert numbered_sources(asked.context) == {1: "Stores (link)\nIn files."}


def test_sources_need_no_word_before_the_question():
    asked = asked_of(chat("<sources>\nIn files.\n</sources>\nWhere?", "In files."))

    assert (asked.context, asked.question) == ("In files.", "Where?")


def test_a_question_alone_has_no_context():
    asked = asked_of(chat("Where are they kept?", "In files."))

    assert (asked.context, asked.question, asked.titles) == ("", "Where are they kept?", ())


def test_a_row_says_that_its_library_lacks_the_film():
    assert asked_of(film_row(kind="absent")).missing


def test_the_chosen_answer_of_a_preference_is_its_reference():
    row = PreferenceRow(
        prompt=[Message(role="user", content="Where?")], chosen="Here.", rejected="There."
    )

    assert asked_of(row).reference == "Here."


@pytest.mark.parametrize("row", [film_row(), chat("Hi", "Hello", "Where?", "Here.")])
def test_without_its_context_a_row_is_its_last_question(row: TrainingRow):
    bare = without_context(row)

    assert "Library" not in bare.messages[-2].content
    assert asked_of(bare).question == asked_of(row).question
    assert asked_of(bare).context == ""
    assert [m.role for m in bare.messages[-2:]] == ["user", "assistant"]


def test_the_system_message_stays_when_the_context_goes():
    assert [m.role for m in without_context(film_row()).messages] == ["system", "user", "assistant"]


def test_a_row_without_an_answer_is_refused():
    with pytest.raises(DataError, match="question and its answer"):
        asked_of(chat("Where?"))


def test_numbered_lines_are_sources():
    assert list(numbered_sources(LIBRARY)) == [1, 2, 3]
    assert numbered_sources("Nothing is numbered here.") == {}


def test_grounded_decoding_allows_the_titles_of_the_context_with_their_years():
    [field] = titles_from_context(film_row())

    assert field.values == TITLES
    assert field.entries == ("Alien** (1979)", "Groundhog Day** (1993)", "Help!** (1965)")


def test_without_a_context_no_title_may_be_written():
    [field] = titles_from_context(without_context(film_row()))

    assert field.values == ()
