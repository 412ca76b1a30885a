"""Trains in a process that its parent kills, and tells it what it does: one (phase, step) for each line of progress."""

from multiprocessing.connection import Connection
from pathlib import Path

import torch

from rag_llm_system.model.finetuning.config import TrainingLog
from rag_llm_system.model.finetuning.sft import finetune
from tests.integration.small_trainings import DPO, instructions, preferences, settings


def train(method: str, data: Path, output_dir: Path, progress: Connection) -> None:
    torch.set_num_threads(1)

    def say(log: TrainingLog) -> None:
        if "loss" in log.values:
            progress.send((log.phase, log.step))

    result = finetune(
        settings(method=method, dpo=DPO),
        instructions(data, range(24)),
        instructions(data, range(30, 34)),
        preferences=(preferences(data, range(12)), preferences(data, range(20, 24))),
        output_dir=output_dir,
        on_log=say,
    )
    progress.send(result.model_dump_json())
    progress.close()
