"""The command ``python -m tools.bench_movies``."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from rag_llm_system.settings import PROJECT_ROOT, load_settings
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from tools.bench_movies.figures import Figures

PAGE = PROJECT_ROOT / "docs" / "benchmarks" / "movies.md"
FIGURES = PROJECT_ROOT / ".rag" / "bench-movies.json"
REQUESTS = Path(__file__).with_name("requests.jsonl")
FIRST_SIGHT = Path(__file__).with_name("first_sight.json")
SEED = 7


class Options(Value):
    """What the command was given."""

    films: Path | None
    requests: Path
    output: Path
    page: Path
    keep: Path | None
    page_only: bool
    seed: int


@click.command(
    help="What the movie assistant recommends: requests with the facts that they imply, beside the same without "
    "self-query, hybrid search and reranking, and beside the documents' way."
)
@click.option(
    "--films",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Records of films in the format of the public Wikipedia movie data: those the requests are about.",
)
@click.option(
    "--requests",
    metavar="FILE",
    default=REQUESTS,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Requests with their facts; those of this benchmark if not given.",
)
@click.option(
    "--output",
    default=FIGURES,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the figures go, as JSON; .rag/bench-movies.json if not given.",
)
@click.option(
    "--page",
    default=PAGE,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the tables go; docs/benchmarks/movies.md if not given.",
)
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the index there, and use what is there.",
)
@click.option("--page-only", is_flag=True, help="Measure nothing; write the page of what is kept.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=SEED, show_default=True, help="Of the intervals."
)
def main(**given: Any) -> None:
    options = Options.model_validate(given)
    with clean_exit():
        from rag_llm_system.application.evaluation.whole_files import write_whole
        from tools.bench_movies.figures import read_figures, read_first_sight
        from tools.bench_movies.page import page
        from tools.evaluate_retrieval.report import make_room

        for path in (options.page, options.output):
            make_room(path)
        first = read_first_sight(FIRST_SIGHT) if options.requests == REQUESTS else None
        if options.page_only:
            figures = read_figures(options.output)
        else:
            figures = _measured(options)
            write_whole(options.output, figures.model_dump_json(indent=1) + "\n")
        write_whole(options.page, page(figures, first, options.seed))
        for line in _lines(figures, options.seed):
            click.echo(line)
        click.echo(f"written: {options.page}")


def _measured(options: Options) -> "Figures":
    from rag_llm_system.application.evaluation.film_requests import read_asked_films
    from tools.bench_movies.race import facts_of_run, measure

    films, settings = options.films, load_settings()
    if films is None:
        raise ConfigurationError("no films; name the file of their records: --films FILE")
    if not films.is_file():
        raise MissingFile(f"{films} is not there; name a file of records of films")
    asked = read_asked_films(options.requests)
    return measure(
        asked,
        films,
        settings,
        keep=options.keep,
        facts=facts_of_run(settings, options.seed),
        command=shlex.join(["poe", "bench-movies", "--", "--films", films.name, *_more(options)]),
    )


def _more(options: Options) -> Iterator[str]:
    """Only names of files: where they lie says nothing."""
    if options.requests != REQUESTS:
        yield from ("--requests", options.requests.name)
    if options.seed != SEED:
        yield from ("--seed", str(options.seed))


def _lines(figures: "Figures", seed: int) -> Iterator[str]:
    from rag_llm_system.application.evaluation.film_requests import MEASURES, film_measures

    yield f"{'way':22}" + "".join(f"{name:>18}" for name in MEASURES)
    for run in figures.runs:
        found = film_measures(run.scores, seed)
        means = (f"{found[name].mean:18.3f}" if name in found else f"{'':18}" for name in MEASURES)
        yield f"{run.way:22}{''.join(means)}"
    for one in figures.runs[0].scores:
        if one.half == "dev" and not one.right:
            yield f"wrong: {one.text}"


if __name__ == "__main__":
    start(main)
