"""A trained model on unseen rows: beside its base and the version that serves, with a page to look at."""

from typing import Any

from pydantic import Field
from zenml import pipeline
from zenml.enums import ExecutionMode

from rag_llm_system.domain.documents import Value
from steps.evaluating.evaluate import evaluate
from steps.evaluating.load_test_rows import load_test_rows
from steps.evaluating.publish import publish


class Config(Value):
    """``model`` is "current", a version or a folder; ``dataset`` left out: the rows kept by its training.

    ``rows`` are answered by each model, ``loss_rows`` only read, ``probes`` are training rows that are asked without
    their context. ``judge`` asks the language model of the settings for its opinion of each answer;
    ``grounded_decoding`` lets every model write only titles of its context in bold.
    """

    model: int | str = "current"
    dataset: str | None = None
    rows: int = Field(60, ge=1)
    loss_rows: int = Field(500, ge=1)
    probes: int = Field(60, ge=0)
    samples: int = Field(12, ge=0)
    seed: int = Field(42, ge=0)
    judge: bool = False
    grounded_decoding: bool = False
    batch_size: int = Field(8, ge=1)
    max_new_tokens: int = Field(200, ge=1)


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def evaluating(
    *,
    model: int | str,
    dataset: str | None,
    rows: int,
    loss_rows: int,
    probes: int,
    samples: int,
    seed: int,
    judge: bool,
    grounded_decoding: bool,
    batch_size: int,
    max_new_tokens: int,
) -> None:
    evaluation: dict[str, Any] = {
        "rows": rows, "loss_rows": loss_rows, "probes": probes, "samples": samples, "seed": seed,
    }  # fmt: skip
    target, drawn = load_test_rows(model=str(model), dataset=dataset, evaluation=evaluation)
    report = evaluate(
        target=target,
        rows=drawn,
        evaluation=evaluation,
        answering={"batch_size": batch_size, "max_new_tokens": max_new_tokens},
        judge=judge,
        grounded_decoding=grounded_decoding,
    )
    publish(target=target, report=report)


graph = evaluating
