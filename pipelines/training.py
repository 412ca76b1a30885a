"""train.jsonl -> fine-tuned model -> scores on unseen rows -> model version, and what serves."""

from typing import Any

from pydantic import Field
from zenml import Model, pipeline
from zenml.enums import ExecutionMode

from rag_llm_system.application.evaluation.answers.material import EvaluationSettings
from rag_llm_system.application.evaluation.promotion import PromotionPolicy
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.written_answers import Answering
from rag_llm_system.model.finetuning.config import TrainingConfig
from steps.registry import MODEL_NAME
from steps.training.describe_model import describe_model
from steps.training.evaluate_model import evaluate_model
from steps.training.prepare_dataset import prepare_dataset, prepare_preferences
from steps.training.register_model import register_model
from steps.training.train_model import train_model


class Config(Value):
    """``dataset`` left out: the set that the generate datasets pipeline made; without ``test_dataset`` it is split.

    ``preferences`` are for ``training.dpo``. ``training`` reaches the trainer whole. ``evaluation`` and ``answering``
    say on how many rows the model is measured, ``judge`` whether a language model gives its opinion, and
    ``promotion`` what the model must reach to serve.
    """

    dataset: str | None = None
    test_dataset: str | None = None
    preferences: str | None = None
    test_share: float = Field(0.1, gt=0, le=0.5)
    training: TrainingConfig
    evaluation: EvaluationSettings = EvaluationSettings()
    answering: Answering = Answering()
    judge: bool = False
    promotion: PromotionPolicy = PromotionPolicy()


@pipeline(
    enable_cache=False,
    execution_mode=ExecutionMode.FAIL_FAST,
    model=Model(name=MODEL_NAME, description="Fine-tuned on the style of the indexed texts"),
)
def training(
    *,
    dataset: str | None,
    test_dataset: str | None,
    preferences: str | None,
    test_share: float,
    training: dict[str, Any],
    evaluation: dict[str, Any],
    answering: dict[str, int],
    judge: bool,
    promotion: dict[str, Any],
) -> None:
    seed = training["seed"]
    rows = prepare_dataset(
        dataset=dataset, test_dataset=test_dataset, test_share=test_share, seed=seed
    )
    pairs = None
    if training["dpo"]:
        pairs = prepare_preferences(dataset=preferences, test_share=test_share, seed=seed)
    result, _ = train_model(rows=rows, preferences=pairs, training=training)
    report, _ = evaluate_model(
        result=result, rows=rows, evaluation=evaluation, answering=answering, judge=judge
    )
    describe_model(result=result, report=report)
    register_model(result=result, report=report, promotion=promotion)


graph = training
