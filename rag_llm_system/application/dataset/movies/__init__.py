"""Film records to conversations: a training set that teaches the style and leaves the facts to the library."""

from rag_llm_system.application.dataset.movies.films import (
    Film,
    FilmSplit,
    read_films,
    split_films,
)
from rag_llm_system.application.dataset.movies.probes import memorisation_prompts
from rag_llm_system.application.dataset.movies.rows import film_rows

__all__ = [
    "Film",
    "FilmSplit",
    "film_rows",
    "memorisation_prompts",
    "read_films",
    "split_films",
]
