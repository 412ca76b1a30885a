"""The films of the examples are facts in one form: every one is checked."""

import json
from collections import Counter

from rag_llm_system.application.dataset.movies.films import GENRES
from rag_llm_system.application.movies.record_mapping import FilmMapping
from rag_llm_system.application.movies.records import Tally, film_documents
from rag_llm_system.domain.documents import Author
from rag_llm_system.settings import PROJECT_ROOT

PATH = PROJECT_ROOT / "examples" / "movies" / "films.jsonl"
FILMS = [json.loads(line) for line in PATH.read_text(encoding="utf-8").splitlines()]
KEYS = [(film["title"], film["year"]) for film in FILMS]


def test_there_are_enough_films_each_once_and_sorted() -> None:
    assert len(FILMS) >= 250
    assert len(set(KEYS)) == len(KEYS)
    assert sorted(KEYS, key=lambda key: (key[0].casefold(), key[1])) == KEYS


def test_every_film_has_the_same_fields() -> None:
    fields = {
        "title": str,
        "year": int,
        "cast": list,
        "genres": list,
        "directors": list,
        "extract": str,
    }
    assert [film for film in FILMS if {k: type(v) for k, v in film.items()} != fields] == []


def test_the_facts_are_plausible() -> None:
    assert [film["title"] for film in FILMS if not 1930 <= film["year"] <= 2023] == []
    assert [film["title"] for film in FILMS if not set(film["genres"]) <= set(GENRES)] == []
    assert [film["title"] for film in FILMS if not 1 <= len(set(film["genres"])) <= 4] == []
    assert [film["title"] for film in FILMS if not 2 <= len(set(film["cast"])) <= 4] == []
    assert [film["title"] for film in FILMS if not 1 <= len(set(film["directors"])) <= 3] == []
    texts = [text for film in FILMS for text in (film["title"], film["extract"], *film["cast"])]
    assert [text for text in texts if text != " ".join(text.split())] == []


def test_a_plot_is_long_enough_to_search_and_short_enough_to_quote() -> None:
    assert [film["title"] for film in FILMS if not 15 <= len(film["extract"].split()) <= 40] == []
    assert [film["title"] for film in FILMS if not film["extract"].endswith(".")] == []
    assert len({film["extract"] for film in FILMS}) == len(FILMS)


def test_most_genres_and_decades_are_there() -> None:
    genres = Counter(genre for film in FILMS for genre in film["genres"])
    assert set(genres) == set(GENRES)
    assert min(genres.values()) >= 3
    decades = Counter(film["year"] // 10 for film in FILMS)
    assert min(decades[decade] for decade in range(193, 203)) >= 10


def test_some_titles_are_those_of_two_films() -> None:
    assert sum(count > 1 for count in Counter(title for title, _ in KEYS).values()) >= 10


def test_every_record_is_read_as_a_film() -> None:
    tally = Tally()
    documents = list(film_documents(PATH, FilmMapping(), Author.named("Films"), tally))
    assert (len(documents), dict(tally.refused)) == (len(FILMS), {})
    assert all(document.link.startswith("film:") for document in documents)
