"""The command ``python -m tools.bench_crawl``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tools.errors import EXIT_FAILED, clean_exit
from tools.start import start

if TYPE_CHECKING:
    from tools.bench_crawl.goals import Row


def _milliseconds(
    _context: click.Context, _parameter: click.Parameter, value: str
) -> tuple[int, ...]:
    parts = [part.strip() for part in value.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise click.BadParameter(f"{value!r} is no list of milliseconds such as 0,300")
    return tuple(dict.fromkeys(map(int, parts)))


@click.command(
    help="Crawl a site of this machine with our crawler, Scrapy and Selenium, and compare them. "
    "Exit code 1: a goal was missed, or a contender failed."
)
@click.option(
    "--pages", type=click.IntRange(min=2), default=200, show_default=True, help="Pages of the site."
)
@click.option(
    "--hosts",
    type=click.IntRange(min=1, max=99),
    default=16,
    show_default=True,
    help="Host names they are spread over.",
)
@click.option(
    "--delays",
    metavar="MS,MS",
    callback=_milliseconds,
    default="0,300",
    show_default=True,
    help="Milliseconds before each answer of the site; one table for each.",
)
@click.option("--only", multiple=True, metavar="NAME", help="Run this contender; may be repeated.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to a file."
)
def main(
    pages: int, hosts: int, delays: tuple[int, ...], only: tuple[str, ...], json_file: Path | None
) -> None:
    with clean_exit():
        from tools.bench_crawl.goals import goals
        from tools.bench_crawl.race import chosen, race
        from tools.bench_crawl.report import as_json, goal_lines, machine, row_line, table_head
        from tools.bench_crawl.site import Shape

        plans, shape, facts = chosen(only), Shape(pages=pages, hosts=hosts), machine()
        click.echo("\n".join(f"{name}: {value}" for name, value in facts.items()))
        rows: list[Row] = []
        for delay_ms in delays:
            click.echo(f"\n{pages} pages, {hosts} hosts, {delay_ms} ms before each answer")
            click.echo(table_head())
            for row in race(shape, delay_ms, plans):
                rows.append(row)
                click.echo(row_line(row, rows))
        judged = goals(rows)
        click.echo("\n" + "\n".join(goal_lines(judged)))
        if json_file:
            json_file.write_text(as_json(facts, rows, judged), encoding="utf-8")
    if any(row.failed for row in rows) or any(goal.reached is False for goal in judged):
        raise SystemExit(EXIT_FAILED)


if __name__ == "__main__":
    start(main)
