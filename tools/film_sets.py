"""The training set of the movie assistant: conversations about some films, and questions about others."""

from dataclasses import dataclass
from pathlib import Path

from rag_llm_system.application.dataset.movies.films import read_films, split_films
from rag_llm_system.application.dataset.movies.rows import film_rows
from rag_llm_system.application.dataset.rows_files import TEST_FILE, TRAIN_FILE, write_rows

TRAIN_ROWS = 3000
TEST_ROWS = 200
HELD_OUT_SHARE = 0.15


@dataclass(frozen=True)
class FilmSets:
    """Files of rows, and from how many films each was made."""

    train: Path
    test: Path
    train_films: int
    held_out_films: int


def write_film_sets(records: Path, folder: Path, *, rows: int, turns: int, seed: int) -> FilmSets:
    """``rows`` conversations of ``turns`` questions to train on, and one question each about films that none names."""
    split = split_films(read_films(records), held_out_share=HELD_OUT_SHARE, seed=seed)
    sets = FilmSets(
        train=folder / TRAIN_FILE,
        test=folder / TEST_FILE,
        train_films=len(split.train),
        held_out_films=len(split.held_out),
    )
    write_rows(sets.train, film_rows(split.train, rows, seed, turns=turns))
    write_rows(sets.test, film_rows(split.held_out, TEST_ROWS, seed + 1))
    return sets
