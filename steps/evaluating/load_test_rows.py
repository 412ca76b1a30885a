"""Finds the model to evaluate and draws the rows that it is asked."""

from typing import Annotated, Any

from datasets import DatasetDict
from zenml import log_metadata

from rag_llm_system.application.evaluation.answers.material import EvaluationSettings, draw
from rag_llm_system.domain.datasets import DatasetKind, Row, TrainingRow
from rag_llm_system.domain.errors import DataError
from rag_llm_system.model.dataset_rows import dataset_of
from steps.evaluating.target import Target, rows_in, target_of
from steps.progress import say
from steps.session import current_system, scratch_folder
from steps.tracing import traced_step


@traced_step
def load_test_rows(
    model: str, dataset: str | None, evaluation: dict[str, Any]
) -> tuple[Annotated[Target, "evaluated_model"], Annotated[DatasetDict, "test_rows"]]:
    """``evaluation`` is an EvaluationSettings."""
    settings = EvaluationSettings.model_validate(evaluation)
    target = target_of(current_system().settings.data_dir / "models", model, dataset)
    test = draw(rows_in(target.test), max(settings.rows, settings.loss_rows), settings.seed)
    if not test:
        raise DataError(f"{target.test}: no rows to evaluate on; name another dataset")
    train = draw(rows_in(target.train), settings.probes, settings.seed) if settings.probes else []
    rows = DatasetDict({"test": _dataset(test, "test"), "train": _dataset(train, "train")})
    say(
        f"  {target.folder.name}, {len(test)} rows of {target.test}, {len(train)} of the training set"
    )
    log_metadata({"rows": len(test), "probes": len(train), "version": target.version})
    return target, rows


def _dataset(rows: list[Row], split: str) -> Any:
    kind: DatasetKind = (
        "instruction" if not rows or isinstance(rows[0], TrainingRow) else "preference"
    )
    return dataset_of(lambda: rows, kind, work_dir=scratch_folder(), split=split)
