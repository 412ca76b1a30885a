"""The newest traces of the local trace file, as trees: ``poe traces``."""

from collections.abc import Iterator

import click

from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start


@click.command(help="Show the newest traces with their spans.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=5, show_default=True, help="How many traces."
)
def main(limit: int) -> None:
    with clean_exit():
        from rag_llm_system.infrastructure.tracing.reader import TracedWork, read_traces

        def lines(work: TracedWork) -> Iterator[str]:
            took = "" if work.duration_s is None else f", {work.duration_s:.2f} s"
            yield f"{work.start:%Y-%m-%d %H:%M:%S}  {work.name or 'unnamed'} ({work.status}{took})  {work.trace_id}"
            depth = {"": 0, work.trace_id: 0}
            for span in work.spans:
                depth[span.id] = depth.get(span.parent_id, 0) + 1
                failed = f"  failed: {span.error.splitlines()[0]}" if span.error else ""
                yield f"{'  ' * depth[span.id]}{span.name}  {span.duration_s:.2f} s{failed}"
            for score in work.scores:
                said = f"  {score.comment}" if score.comment else ""
                yield f"  {score.name}: {score.value:g}{said}"

        works = read_traces(load_settings().data_dir, limit)
        for work in works:
            click.echo("\n".join(lines(work)))
        if not works:
            click.echo("no traces yet; run a pipeline or ask a question first")


if __name__ == "__main__":
    start(main)
