"""The command ``python -m tools.fit_extraction``."""

from pathlib import Path

import click

from tools.errors import clean_exit
from tools.start import start

_MODEL = Path("rag_llm_system/application/crawlers/extraction/trees.json")


@click.command(
    help="Fit the model of the article extraction on labelled pages and write it. Before that, each half of the "
    "pages is scored with a model of the other half: the figure to expect on unseen pages."
)
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder with ground-truth.json.gz and html/ID.html.gz.",
)
@click.option(
    "--out", default=_MODEL, show_default=True, type=click.Path(path_type=Path), help="The model."
)
def main(data: Path, out: Path) -> None:
    with clean_exit():
        from tools.bench_extraction.pages import labelled_pages
        from tools.fit_extraction.fitting import check_line, checked, fitted
        from tools.fit_extraction.samples import samples_of

        samples = samples_of(labelled_pages(data))
        for name, scores in checked(samples).items():
            click.echo(check_line(name, scores))
        out.write_text(fitted(samples).as_json(), encoding="utf-8")
        click.echo(f"{out}: fitted on {len(samples)} pages")


if __name__ == "__main__":
    start(main)
