"""The command ``python -m tools.bench_movie_training``."""

import os
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import click

from rag_llm_system.settings import PROJECT_ROOT
from tools.errors import clean_exit
from tools.film_sets import TRAIN_ROWS
from tools.movies_train import CONFIG, TURNS
from tools.start import start

PAGE = PROJECT_ROOT / "docs" / "benchmarks" / "movie-training.md"


@click.command(
    help="Train the movie assistant once for each seed, ask it about films it has not seen, and write the table. "
    "RECORDS are JSON lines with title, year, cast, genres and extract."
)
@click.argument("records", type=click.Path(path_type=Path))
@click.option("--seeds", default="1,2,3", show_default=True, help="Separated by commas.")
@click.option("--rows", type=click.IntRange(min=10), default=TRAIN_ROWS, show_default=True)
@click.option("--turns", type=click.IntRange(1, 8), default=TURNS, show_default=True)
@click.option("--config", default=CONFIG, show_default=True, help="How to train.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a value.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep models and results there; seeds that are there are not trained again.",
)
@click.option(
    "--page", "page_file", default=PAGE, type=click.Path(path_type=Path, dir_okay=False),
    help="Where the table goes; docs/benchmarks/movie-training.md if not given.",
)  # fmt: skip
def main(
    *, records: Path, seeds: str, rows: int, turns: int, config: str, overrides: tuple[str, ...],
    work: Path | None, page_file: Path,
) -> None:  # fmt: skip
    with clean_exit():
        # the training stack takes seconds to import; --help must not wait for it
        import torch

        from rag_llm_system.application.dataset.rows_files import whole_file
        from tools.bench_embedding.processor import this_processor
        from tools.bench_movie_training.page import page
        from tools.bench_movie_training.seed import SeedResult, measure_seed
        from tools.run_config import load_run_config
        from tools.train_files import Config

        training = load_run_config(config, overrides, Config)[0].training
        work = work or Path(mkdtemp(prefix="movie-training-"))
        results: list[SeedResult] = []
        for seed in map(int, seeds.split(",")):
            folder = work / f"seed-{seed}"
            kept = folder / "result.json"
            if not kept.is_file():
                measured = measure_seed(
                    records, training, folder, seed=seed, rows=rows, turns=turns
                )
                with whole_file(kept) as file:
                    file.write(measured.model_dump_json().encode())
            results.append(SeedResult.model_validate_json(kept.read_bytes()))
        text = page(
            results,
            command=f"poe bench-movie-training -- {records.name} --seeds {seeds}",
            machine=f"{this_processor().name}, {len(os.sched_getaffinity(0))} cores",
            threads=torch.get_num_threads(),
            date=datetime.now(UTC).strftime("%d %B %Y"),
        )
        with whole_file(page_file) as file:
            file.write(text.encode())
        click.echo(text)


if __name__ == "__main__":
    start(main)
