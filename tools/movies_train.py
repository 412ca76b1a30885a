"""Trains the movie assistant on films of your own: ``poe movies-train -- films.jsonl``."""

from pathlib import Path

import click

from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.film_sets import TRAIN_ROWS, write_film_sets
from tools.run import run_pipeline
from tools.start import start

CONFIG = "configs/movies_training.yaml"
TURNS = 1


@click.command(
    help="Write a train.jsonl from RECORDS (JSON lines with title, year, cast, genres and extract; .gz is fine), train "
    "on it, measure the model on films that it has not seen, and register it."
)
@click.argument("records", type=click.Path(path_type=Path))
@click.option(
    "--rows", type=click.IntRange(min=10), default=TRAIN_ROWS, show_default=True,
    help="Conversations to train on.",
)  # fmt: skip
@click.option(
    "--turns", type=click.IntRange(1, 8), default=TURNS, show_default=True,
    help="Questions in each conversation.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=7, show_default=True,
    help="Which films are held out, and what is asked about the others.",
)  # fmt: skip
@click.option("--rows-only", is_flag=True, help="Write train.jsonl and test.jsonl, and stop.")
@click.option("--config", default=CONFIG, show_default=True, help="How to train.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one parameter of it."
)
def main(
    *, records: Path, rows: int, turns: int, seed: int, rows_only: bool, config: str, overrides: tuple[str, ...]
) -> None:  # fmt: skip
    with clean_exit():
        folder = load_settings().data_dir / "datasets" / "movies"
        sets = write_film_sets(records, folder, rows=rows, turns=turns, seed=seed)
        click.echo(
            f"{sets.train}: {rows} conversations of {turns} questions about {sets.train_films} films\n"
            f"{sets.test}: questions about {sets.held_out_films} other films"
        )
        if rows_only:
            return
        own = [f"dataset={sets.train}", f"test_dataset={sets.test}"]
        run_pipeline("training", config, [*own, *overrides])


if __name__ == "__main__":
    start(main)
