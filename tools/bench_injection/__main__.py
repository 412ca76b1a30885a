"""The command ``python -m tools.bench_injection``."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tools.bench_injection.benign import PAGE
from tools.errors import EXIT_FAILED, clean_exit
from tools.start import start

if TYPE_CHECKING:
    from tools.bench_injection.benign import Benign
    from tools.bench_injection.race import Asking

_BENIGN_GOAL = 0.01


def _named_folder(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, Path]:
    named = {}
    for one in given:
        name, _, folder = one.partition("=")
        if not folder or not Path(folder).is_dir():
            raise click.BadParameter(f"{one!r} is not NAME=FOLDER with a folder that is there")
        named[name] = Path(folder)
    return named


@click.command(
    help="Plant 40 injections in documents, ask three models about them with and without the defences, count what "
    "is left out of harmless texts, and write the tables. Exit code 1: more than 1 % of the harmless passages were hit."
)
@click.option(
    "--texts",
    "folders",
    multiple=True,
    metavar="NAME=FOLDER",
    callback=_named_folder,
    help="More harmless texts: files that end in .html, .md, .py, .rst or .txt.",
)
@click.option(
    "--llama/--no-llama", default=True, show_default=True, help="Ask the small Llama too."
)
@click.option(
    "--page", "page_file", default=PAGE, type=click.Path(path_type=Path, dir_okay=False),
    help="Where the tables go; docs/benchmarks/injection.md if not given.",
)  # fmt: skip
def main(*, folders: dict[str, Path], llama: bool, page_file: Path) -> None:
    with clean_exit():
        from rag_llm_system.application.dataset.rows_files import whole_file
        from tools.bench_embedding.processor import this_processor
        from tools.bench_injection.attacks import carriers
        from tools.bench_injection.benign import files, measure, own_texts
        from tools.bench_injection.page import page
        from tools.bench_injection.race import race

        outcomes = list(race(_models(llama=llama), carriers()))
        texts = own_texts() | {name: files(folder) for name, folder in folders.items()}
        benign = [measure(name, paths) for name, paths in texts.items()]
        text = page(
            outcomes,
            benign,
            command="poe bench-injection",
            machine=f"{this_processor().name}, {len(os.sched_getaffinity(0))} cores",
            date=datetime.now(UTC).strftime("%d %B %Y"),
        )
        page_file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(page_file) as file:
            file.write(text.encode())
        click.echo(text)
        _show_lost(benign)
    if any(one.share > _BENIGN_GOAL for one in benign):
        raise SystemExit(EXIT_FAILED)


def _models(*, llama: bool) -> "dict[str, Asking]":
    from rag_llm_system.application.rag.extractive import ExtractiveWriter
    from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
    from tools.bench_injection.attacks import HALVES, attacks, carriers
    from tools.bench_injection.obedient import ObedientLLM
    from tools.bench_injection.race import SmallLlama, asking

    writer = ExtractiveWriter(HashingEmbedder(dimension=512))
    models: dict[str, Asking] = {
        "extractive": lambda question, passages, _: "".join(writer.write(question, passages)),
        "obedient": asking(ObedientLLM()),
    }
    if llama:
        texts = ["\n".join(one.text) for one in carriers().values()]
        texts += [attack.text for half in HALVES for attack in attacks(half)]
        models["small Llama"] = asking(SmallLlama(texts))
    return models


def _show_lost(benign: "list[Benign]") -> None:
    """The harmless sentences that were left out, on the terminal alone: they may be somebody's."""
    for one in benign:
        for sentence in one.lost:
            click.echo(f"left out of {one.name}: {sentence}", err=True)


if __name__ == "__main__":
    start(main)
