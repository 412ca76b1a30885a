"""train.jsonl -> fine-tuned model -> scores on unseen rows -> model version."""

from typing import Any

from pydantic import Field
from zenml import Model, pipeline
from zenml.enums import ExecutionMode

from rag_llm_system.domain.documents import Value
from rag_llm_system.model.finetuning.config import TrainingConfig
from steps.training.evaluate_model import evaluate_model
from steps.training.prepare_dataset import prepare_dataset
from steps.training.register_model import register_model
from steps.training.train_model import train_model

MODEL_NAME = "twin"


class Config(Value):
    """``dataset`` left out: rows are made from the indexed articles. ``training`` reaches the trainer whole."""

    dataset: str | None = None
    test_share: float = Field(0.1, gt=0, le=0.5)
    training: TrainingConfig


@pipeline(
    enable_cache=False,
    execution_mode=ExecutionMode.FAIL_FAST,
    model=Model(name=MODEL_NAME, description="Fine-tuned on the style of the indexed texts"),
)
def training(dataset: str | None, test_share: float, training: dict[str, Any]) -> None:
    split = prepare_dataset(dataset=dataset, test_share=test_share, seed=training["seed"])
    result, _ = train_model(split=split, training=training)
    report = evaluate_model(result=result, split=split)
    register_model(result=result, report=report)


graph = training
