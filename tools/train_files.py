"""Trains on files, without a pipeline: ``accelerate launch -m tools.train_files train.jsonl --output DIR``."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from rag_llm_system.domain.documents import Value
from rag_llm_system.model.finetuning.config import TrainingConfig
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.run_config import load_run_config
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.model.finetuning.config import TrainingResult


class Config(Value, extra="ignore"):
    """Of a training pipeline's config the part that trains."""

    training: TrainingConfig


@click.command(
    help="Train on the rows of DATASET and leave the model in a folder. Started by accelerate launch it uses every GPU "
    "of the machine; the same run started again goes on where it was."
)
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option("--test", type=click.Path(path_type=Path), help="Test rows; left out: split off.")
@click.option("--preferences", type=click.Path(path_type=Path), help="Rows for DPO.")
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help="The model's folder."
)
@click.option("--config", default="configs/training.yaml", show_default=True)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a value.")
@click.option("--test-share", type=click.FloatRange(0, 0.5, min_open=True), default=0.1)
def main(
    *, dataset: Path, test: Path | None, preferences: Path | None, output: Path, config: str,
    overrides: tuple[str, ...], test_share: float,
) -> None:  # fmt: skip
    with clean_exit():
        # the training stack takes seconds to import; --help must not wait for it
        from rag_llm_system.model.description import describe
        from rag_llm_system.model.finetuning.processes import processes
        from rag_llm_system.model.finetuning.sft import finetune
        from steps.training.training_log import show_log
        from steps.training.training_rows import rows_of_files

        training = load_run_config(config, overrides, Config)[0].training
        pairs = None
        with TemporaryDirectory(prefix="rows-") as work:
            rows_of = partial(
                rows_of_files, test_share=test_share, seed=training.seed, work_dir=Path(work)
            )
            rows = rows_of(dataset, test, kind="instruction")
            if preferences is not None:
                sides = rows_of(preferences, None, kind="preference")
                pairs = (sides["train"], sides["test"])
            result = finetune(
                training,
                rows["train"],
                rows["test"],
                preferences=pairs,
                output_dir=output,
                on_log=show_log,
                token=load_settings().HUGGINGFACE_ACCESS_TOKEN,
            )
        if processes().is_main_process:
            describe(output)
            for line in _lines(result):
                click.echo(line)


def _lines(result: "TrainingResult") -> Iterator[str]:
    for phase in result.phases:
        yield (
            f"{phase.phase}: {phase.steps} steps, {phase.seconds:.0f} s, {phase.tokens_per_s:,.0f} tokens/s"
        )
    yield f"serve it: poe deploy-inference-local -- --model {result.folder}"


if __name__ == "__main__":
    start(main)
