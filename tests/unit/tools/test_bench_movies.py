"""The benchmark of the movie assistant: its requests are sound, and its page says what was measured."""

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rag_llm_system.application.evaluation.film_requests import read_asked_films
from rag_llm_system.settings import PROJECT_ROOT
from tools.bench_movies.__main__ import FIRST_SIGHT, REQUESTS, main
from tools.bench_movies.figures import read_figures, read_first_sight
from tools.bench_movies.page import page
from tools.bench_movies.ways import ALL_ON, DOCUMENTED, INVENTED, confidences_in, titles_in

FILMS = PROJECT_ROOT / "examples" / "movies" / "films.jsonl"
WANTED = ("Inception", "The Matrix", "Dark City", "Groundhog Day", "Heat", "Alien", "Tenet")
ASKED = (
    {
        "text": "I want a dark sci-fi movie like Inception.",
        "genres": ["Science Fiction"],
        "like": ["Inception"],
        "intended": {"Dark City (1998)": 3},
    },
    {
        "text": "a comedy from the 90s with Bill Murray",
        "genres": ["Comedy"],
        "first_year": 1990,
        "last_year": 1999,
        "cast": ["Bill Murray"],
        "intended": {"Groundhog Day (1993)": 1},
    },
    {"text": "science fiction", "genres": ["Science Fiction"], "marked_seen": ["The Matrix"]},
    {"text": "a western from 1931", "first_year": 1931, "last_year": 1931, "impossible": True},
)


def few_films(folder: Path) -> Path:
    """Of the example's."""
    lines = FILMS.read_text(encoding="utf-8").splitlines(keepends=True)
    file = folder / "films.jsonl"
    few = [line for line in lines if json.loads(line)["title"] in WANTED]
    file.write_text("".join(few), encoding="utf-8")
    return file


def bench(folder: Path, *requests: object, arguments: tuple[str, ...] = ()) -> Result:
    """Asks them of a few films, in a process as small as can be."""
    asked = folder / "requests.jsonl"
    asked.write_text("".join(json.dumps(one) + "\n" for one in requests), encoding="utf-8")
    places = ("--output", str(folder / "figures.json"), "--page", str(folder / "page.md"))
    return CliRunner(env={"EMBEDDER": "hashing", "VECTOR_STORE": "memory"}).invoke(
        main, [*places, "--requests", str(asked), *arguments]
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one run, which several tests look at."""
    folder = tmp_path_factory.mktemp("bench")
    result = bench(folder, *ASKED, arguments=("--films", str(few_films(folder))))
    assert result.exit_code == 0, result.output
    return folder


def test_there_are_a_hundred_requests_of_every_kind() -> None:
    every = read_asked_films(REQUESTS)
    assert len(every) == 100
    kinds = Counter(kind for one in every for kind in one.kinds)
    assert min(kinds.values()) >= 4
    assert kinds["several facts"] >= 25
    assert sum(bool(one.intended) for one in every) >= 50
    assert min(Counter(one.half for one in every).values()) >= 40


def test_no_request_contradicts_itself() -> None:
    for one in read_asked_films(REQUESTS):
        assert one.first_year is None or one.last_year is None or one.first_year <= one.last_year
        assert {*one.genres, *one.any_genres}.isdisjoint(one.without_genres), one.text
        assert {*one.cast, *one.any_cast}.isdisjoint(one.without_cast), one.text
        assert not (one.impossible and one.intended), one.text
        assert all(grade in {1, 2, 3} for grade in one.intended.values()), one.text


def test_requests_are_asked_in_every_way(measured: Path) -> None:
    figures = read_figures(measured / "figures.json")
    assert [run.way for run in figures.runs] == [
        ALL_ON,
        "without self-query",
        "without hybrid",
        "with reranking",
        DOCUMENTED,
    ]
    best = figures.runs[0]
    assert all(one.right for one in best.scores)
    assert best.titles == best.existing > 0
    assert best.scores[1].shown == ("Groundhog Day (1993)",)
    assert "Inception (2010)" not in best.scores[0].shown
    assert "The Matrix (1999)" not in best.scores[2].shown


def test_what_a_model_makes_up_reaches_nobody(measured: Path) -> None:
    by_writer = {one.writer: one for one in read_figures(measured / "figures.json").written}
    made_up = by_writer["a model that makes up titles and confidences"]
    assert made_up.titles == made_up.existing == made_up.candidates > 0
    assert made_up.confidences == made_up.computed > 0
    assert made_up.made_up == 0


def test_the_page_names_the_command_and_no_place(measured: Path) -> None:
    written = (measured / "page.md").read_text(encoding="utf-8")
    assert "poe bench-movies -- --films films.jsonl --requests requests.jsonl" in written
    assert str(measured) not in written
    assert "## I want a dark sci-fi movie like Inception." in written


def test_the_page_can_be_written_again_without_measuring(measured: Path) -> None:
    written = measured / "page.md"
    before = written.read_text(encoding="utf-8")
    written.unlink()
    assert bench(measured, arguments=("--page-only",)).exit_code == 0
    assert written.read_text(encoding="utf-8") == before


def test_the_figures_at_first_sight_are_shown_beside_todays(measured: Path) -> None:
    figures, first = read_figures(measured / "figures.json"), read_first_sight(FIRST_SIGHT)
    assert "At first sight" not in page(figures, None, 7)
    assert f"The first run of these requests, {first.date}" in page(figures, first, 7)


def test_requests_that_the_films_cannot_answer_are_refused(tmp_path: Path) -> None:
    musical = {"text": "a musical", "genres": ["Musical"]}
    result = bench(tmp_path, musical, arguments=("--films", str(few_films(tmp_path))))
    assert result.exit_code != 0
    assert "'a musical': no film meets it" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the file of their records: --films FILE"),
        (["--films", "nowhere.jsonl"], "nowhere.jsonl is not there"),
        (["--page-only"], "measure first, without --page-only"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = bench(tmp_path, *ASKED, arguments=tuple(arguments))
    assert result.exit_code != 0
    assert message in result.output


def test_titles_and_confidences_are_found_in_a_text() -> None:
    assert titles_in(INVENTED) == [
        ("The Glass Meridian", "2031"),
        ("Inception", "2010"),
        ("Nine Lanterns for Odile", "1987"),
    ]
    assert confidences_in(INVENTED) == ["0.99", "0.97", "100 %"]
