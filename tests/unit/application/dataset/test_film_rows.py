"""Film records to conversations: which facts are kept, how films are split, and what the rows say."""

import gzip
import json
from pathlib import Path

import pytest

from rag_llm_system.application.dataset.movies.films import (
    Film,
    film_of,
    read_films,
    split_films,
)
from rag_llm_system.application.dataset.movies.probes import memorisation_prompts
from rag_llm_system.application.dataset.movies.rows import (
    GENERATOR,
    MIN_FILMS,
    fact,
    film_of_fact,
    film_rows,
)
from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.errors import ConfigurationError, DataError, MissingFile

GENRES = ("comedy", "drama", "horror", "war")


def a_record(**changes: object) -> dict[str, object]:
    return {
        "title": "The Quiet Harbor",
        "year": 1984,
        "cast": ["Ann Lee", "Bob Stone", "Cy Young"],
        "genres": ["Comedy", "Drama", "War"],
        "extract": "The Quiet Harbor is a 1984 film. It follows two sailors who open a bakery by the sea. It did well.",
        **changes,
    }


def films(count: int = 40) -> list[Film]:
    return [
        Film(
            title=f"Film {chr(65 + n % 26)}{n}",
            year=1980 + n % 40,
            genres=(GENRES[n % 4],),
            cast=(f"Ann Lee{chr(97 + n % 26)}", f"Bob Stone{chr(97 + n // 26)}"),
            plot=f"follows traveler number {n} around the world",
        )
        for n in range(count)
    ]


def answer_of(row: TrainingRow) -> str:
    return row.messages[-1].content


def question_of(row: TrainingRow) -> str:
    return row.messages[-2].content.rpartition("Question: ")[2]


def rows_of_kind(kind: str, count: int = 300) -> list[TrainingRow]:
    found = [row for row in film_rows(films(), count, 1) if row.metadata["kind"] == kind]
    assert found
    return found


def test_a_record_keeps_two_names_two_genres_and_a_short_clause_on_the_plot() -> None:
    assert film_of(a_record()) == Film(
        title="The Quiet Harbor",
        year=1984,
        genres=("comedy", "drama"),
        cast=("Ann Lee", "Bob Stone"),
        plot="follows two sailors who open a bakery by the sea",
    )


def test_a_long_plot_is_cut_where_a_clause_ends() -> None:
    text = (
        "It follows two old sailors from Genoa who open a bakery by the cold sea, which then burns"
        " down in a storm at night."
    )
    film = film_of(a_record(extract=text))
    assert film is not None
    assert film.plot == "follows two old sailors from Genoa"


def test_a_plot_does_not_end_on_a_word_that_promises_more() -> None:
    film = film_of(a_record(extract="It follows two old sailors and their dog (called Rex)."))
    assert film is not None
    assert film.plot == "follows two old sailors and their dog"
    film = film_of(a_record(extract="It follows two old sailors from Genoa to the [city]."))
    assert film is not None
    assert film.plot == "follows two old sailors from Genoa"


@pytest.mark.parametrize(
    "change",
    [
        {"cast": ["Ann Lee"]},
        {"genres": ["Unheard Of"]},
        {"extract": "A film of 1984."},
        {"extract": "It follows a young man and his teacher Mr. Pym."},
        {"extract": "It tells the story of The Quiet Harbor and its people."},
        {"title": "A **Bold** Title"},
        {"title": "A title that is far longer than any answer should have to repeat"},
    ],
)
def test_a_record_that_lacks_a_fact_is_left_out(change: dict[str, object]) -> None:
    assert film_of(a_record(**change)) is None


def test_films_are_read_from_plain_and_compressed_lines_and_a_title_once(tmp_path: Path) -> None:
    lines = "\n".join(
        json.dumps(r) for r in (a_record(), a_record(year=1999), {"title": "X", "year": 1})
    )
    plain, compressed = tmp_path / "films.jsonl", tmp_path / "films.jsonl.gz"
    plain.write_text(lines + "\n", encoding="utf-8")
    with gzip.open(compressed, "wt", encoding="utf-8") as file:
        file.write(lines)
    assert [film.year for film in read_films(plain)] == [1984]
    assert read_films(compressed) == read_films(plain)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"title": "X", "year": 1}\n{oops', r"line 2: not JSON"),
        ('\n{"title": "X"}', r"line 2: no title or no year"),
        ("[1]", r"line 1: no title or no year"),
        ('{"title": "X", "year": 1}', r"has no film"),
    ],
)
def test_records_that_cannot_be_read_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "films.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_films(path)


def test_a_file_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="no such file"):
        read_films(tmp_path / "none.jsonl")


def test_a_film_is_held_out_by_title_and_seed_whatever_the_other_films() -> None:
    whole = split_films(films(400), held_out_share=0.2, seed=3)
    half = split_films(films(400)[::2], held_out_share=0.2, seed=3)
    assert set(half.held_out) == set(whole.held_out) & set(films(400)[::2])
    assert 0.1 < len(whole.held_out) / 400 < 0.3
    assert not set(whole.train) & set(whole.held_out)
    assert len(whole.train) + len(whole.held_out) == 400
    assert split_films(films(400), held_out_share=0.2, seed=4) != whole


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_share_that_leaves_one_side_empty_is_refused(share: float) -> None:
    with pytest.raises(ConfigurationError, match="held_out_share"):
        split_films(films(), held_out_share=share, seed=1)


def test_a_fact_can_be_read_back() -> None:
    assert [film_of_fact(fact(n, film)) for n, film in enumerate(films(), start=1)] == films()
    assert film_of_fact("Question: anything with Ann Lee?") is None


def test_rows_follow_from_films_and_seed_and_fewer_are_the_first_of_more() -> None:
    rows = list(film_rows(films(), 30, 5, turns=2))
    assert rows == list(film_rows(films(), 30, 5, turns=2))
    assert rows[:10] == list(film_rows(films(), 10, 5, turns=2))
    assert rows != list(film_rows(films(), 30, 6, turns=2))


def test_every_kind_of_question_occurs_and_rows_say_what_wrote_them() -> None:
    rows = list(film_rows(films(), 300, 1))
    assert {row.metadata["kind"] for row in rows} == {"genre", "mood", "actor", "title", "absent"}
    assert {row.metadata["generator"] for row in rows} == {GENERATOR}


def test_an_answer_names_the_picks_in_order_in_bold_with_their_year_and_plot() -> None:
    known = {film.title: film for film in films()}
    for row in film_rows(films(), 200, 1):
        named = [part.partition("**")[0] for part in answer_of(row).split("**")[1::2]]
        assert named == row.metadata["picks"]
        for title in named:
            assert f"{known[title].bold}. It {known[title].plot}." in answer_of(row)
        assert set(named) <= set(row.metadata["matches"]) <= set(row.metadata["titles"])


def test_a_genre_question_is_answered_with_films_of_that_genre_and_says_so() -> None:
    known = {film.title: film for film in films()}
    for row in rows_of_kind("genre"):
        genre = next(genre for genre in GENRES if genre in question_of(row))
        assert all(genre in known[title].genres for title in row.metadata["picks"])
        assert genre in answer_of(row)


def test_an_actor_question_is_answered_with_a_film_of_that_actor_and_says_so() -> None:
    known = {film.title: film for film in films()}
    for row in rows_of_kind("actor"):
        actor = next(n for f in films() for n in f.cast if n in question_of(row))
        assert [actor in known[title].cast for title in row.metadata["picks"]] == [True]
        assert actor in answer_of(row)


def test_a_film_that_the_library_lacks_is_refused_and_another_one_offered() -> None:
    for row in rows_of_kind("absent"):
        asked = next(
            f.title
            for f in sorted(films(), key=lambda f: -len(f.title))
            if f.title in question_of(row)
        )
        assert asked not in row.metadata["titles"]
        assert asked in answer_of(row).partition("**")[0]
        assert len(row.metadata["picks"]) == 1


def test_a_loved_film_outside_the_library_is_never_recommended() -> None:
    loved = [row for row in rows_of_kind("mood") if "loved" in question_of(row)]
    assert loved
    for row in loved:
        title = question_of(row).partition("loved ")[2].partition(".")[0]
        assert f"**{title}**" not in answer_of(row)


def test_a_conversation_of_several_turns_lists_the_films_once() -> None:
    row = next(film_rows(films(), 1, 1, turns=3))
    assert [m.role for m in row.messages] == ["system", *["user", "assistant"] * 3]
    assert [m.content.startswith("Library:") for m in row.messages[1::2]] == [True, False, False]


def test_rows_name_only_the_films_they_were_given() -> None:
    split = split_films(films(400), held_out_share=0.2, seed=3)
    text = "\n".join(m.content for row in film_rows(split.train, 300, 1) for m in row.messages)
    assert not [film.title for film in split.held_out if f"{film.title}**" in text]


def test_too_few_films_or_turns_are_refused() -> None:
    with pytest.raises(DataError, match=f"at least {MIN_FILMS}"):
        next(film_rows(films(MIN_FILMS - 1), 1, 1))
    with pytest.raises(ConfigurationError, match="turns"):
        next(film_rows(films(), 1, 1, turns=0))


def test_memory_is_probed_by_questions_that_list_no_film() -> None:
    prompts = list(memorisation_prompts(20, 1))
    assert prompts == list(memorisation_prompts(20, 1))
    assert {tuple(message.role for message in prompt) for prompt in prompts} == {("system", "user")}
    assert all(prompt[1].content.startswith("Question: ") for prompt in prompts)
    assert not any("**" in prompt[1].content for prompt in prompts)
    assert len({prompt[1].content for prompt in prompts}) > 10
