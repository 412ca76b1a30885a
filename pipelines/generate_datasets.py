"""Cleaned documents -> a training set: prompts, rows, filters, a split by document, gates, files and an artifact."""

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import Field, model_validator
from zenml import pipeline
from zenml.enums import ExecutionMode

from rag_llm_system.application.dataset.filters import FilterConfig
from rag_llm_system.application.dataset.gates_report import GateThresholds
from rag_llm_system.application.dataset.generators_llm import LLMSettings
from rag_llm_system.domain.datasets import DatasetKind
from rag_llm_system.domain.documents import Value
from steps.generate_datasets.check_dataset import check_dataset
from steps.generate_datasets.create_prompts import create_prompts
from steps.generate_datasets.evaluate_dataset import evaluate_dataset
from steps.generate_datasets.export_dataset import (
    export_instruction_dataset,
    export_preference_dataset,
)
from steps.generate_datasets.filter_rows import filter_rows
from steps.generate_datasets.generate_rows import (
    generate_instruction_dataset,
    generate_preference_dataset,
)
from steps.generate_datasets.push_to_huggingface import push_to_huggingface as push
from steps.generate_datasets.query_feature_store import query_feature_store
from steps.generate_datasets.split_rows import split_rows


class Config(Value):
    """``generator`` is offline (the author's words, no model) or llm (what LLM_BACKEND names, asked as ``llm`` says).

    Of what a generator tries, at most ``max_lost_share`` may come to nothing. ``push_to_huggingface`` needs a
    ``dataset_id`` such as ``me/my-set``.
    """

    dataset_type: DatasetKind
    author_full_names: list[str] | None = None
    categories: list[str] = Field(["articles", "posts"], min_length=1)
    generator: Literal["offline", "llm"] = "offline"
    llm: LLMSettings = LLMSettings()
    max_lost_share: float = Field(0.5, ge=0, le=1)
    filters: FilterConfig = FilterConfig()
    test_split_size: float = Field(0.1, gt=0, le=0.5)
    seed: int = Field(42, ge=0)
    gates: GateThresholds = GateThresholds()
    push_to_huggingface: bool = False
    dataset_id: str = ""
    private: bool = True

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.push_to_huggingface and not self.dataset_id:
            raise ValueError("push_to_huggingface needs a dataset_id such as me/my-set")
        return self


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def generate_datasets(
    *,
    dataset_type: DatasetKind,
    author_full_names: list[str] | None,
    categories: list[str],
    generator: str,
    llm: dict[str, Any],
    max_lost_share: float,
    filters: dict[str, Any],
    test_split_size: float,
    seed: int,
    gates: dict[str, Any],
    push_to_huggingface: bool,
    dataset_id: str,
    private: bool,
) -> None:
    dataset_steps(Config.model_validate(locals()))


def dataset_steps(config: Config, *, after: Sequence[Any] = ()) -> None:
    """The steps, as a part of a larger graph too."""
    kind, values = config.dataset_type, config.model_dump(mode="json")
    categories, gates = config.categories, values["gates"]
    documents = query_feature_store(
        categories=categories, author_full_names=config.author_full_names, after=list(after)
    )
    prompts = create_prompts(documents=documents, dataset_type=kind, categories=categories)
    generate, export = _MAKERS[kind]
    rows = generate(
        prompts=prompts,
        generator=config.generator,
        llm=values["llm"],
        max_lost_share=config.max_lost_share,
    )
    kept = filter_rows(rows=rows, dataset_type=kind, filters=values["filters"])
    train, test = split_rows(
        rows=kept,
        dataset_type=kind,
        test_split_size=config.test_split_size,
        seed=config.seed,
        gates=gates,
    )
    report = evaluate_dataset(
        train=train, test=test, documents=documents, dataset_type=kind, gates=gates
    )
    checked = check_dataset(report=report)
    dataset = export(train=train, test=test, report=report, after=[checked])
    if config.push_to_huggingface:
        push(dataset=dataset, dataset_id=config.dataset_id, private=config.private)


_MAKERS = {
    "instruction": (generate_instruction_dataset, export_instruction_dataset),
    "preference": (generate_preference_dataset, export_preference_dataset),
}

graph = generate_datasets
