"""Rows and settings of trainings that take a second."""

from pathlib import Path
from typing import Any

from datasets import Dataset

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import PreferenceRow, TrainingRow
from rag_llm_system.model.dataset_rows import dataset_of
from rag_llm_system.model.finetuning.config import TrainingConfig

SCRATCH = {
    "vocab_size": 400, "hidden_size": 64, "layers": 2, "heads": 2, "kv_heads": 1, "max_positions": 256,
    "max_steps": 5, "batch_size": 2, "block_tokens": 32,
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "base": "scratch", "max_steps": 6, "learning_rate": 3e-3, "warmup_steps": 1, "batch_size": 3, "max_length": 200,
    "logging_steps": 1, "eval_steps": 3, "checkpoint_steps": 2, "seed": 7, "dtype": "float32",
    "lora": {"r": 4, "alpha": 8, "dropout": 0.1}, "scratch": SCRATCH,
}  # fmt: skip
DPO = {"max_steps": 5, "learning_rate": 2e-3, "batch_size": 3, "max_length": 200}


def settings(**others: Any) -> TrainingConfig:
    return TrainingConfig.model_validate(SETTINGS | others)


def instruction(number: int, words: int = 8) -> TrainingRow:
    return TrainingRow(
        messages=(
            Message(role="user", content=f"What is number {number}?"),
            Message(
                role="assistant",
                content=f"It is {number}, and {'more ' * (words + number % 5)}follows.",
            ),
        ),
        document_id=f"d{number}",
    )


def preference(number: int) -> PreferenceRow:
    return PreferenceRow(
        prompt=(Message(role="user", content=f"What is number {number}?"),),
        chosen=f"It is {number}, and more follows.",
        rejected=f"No idea, perhaps {number + 7}.",
    )


def instructions(folder: Path, numbers: range) -> Dataset:
    name = f"{numbers.start}-{numbers.stop}"
    return dataset_of(lambda: map(instruction, numbers), "instruction", work_dir=folder, split=name)


def preferences(folder: Path, numbers: range) -> Dataset:
    name = f"{numbers.start}-{numbers.stop}"
    return dataset_of(lambda: map(preference, numbers), "preference", work_dir=folder, split=name)
