"""The figures of docs/training.md are those that a run prints before it starts."""

import re
from pathlib import Path

from rag_llm_system.model.finetuning.config import Method, TrainingConfig
from rag_llm_system.model.finetuning.memory import GB, ModelShape, Precision, memory_estimate

TEXT = (Path(__file__).parents[3] / "docs" / "training.md").read_text(encoding="utf-8")
LLAMA_3_1_8B = ModelShape(
    hidden=4096, intermediate=14336, layers=32, heads=32, kv_heads=8, head_dim=128, vocabulary=128256, tied=False,
)  # fmt: skip


def estimate(method: Method, batch_size: int) -> str:
    config = TrainingConfig(
        base="an/8b", method=method, epochs=1, max_length=2048, batch_size=batch_size
    )
    weight = 4 if method == "full" else 2
    precision = Precision(weight=weight, product=2, checkpointing=True)
    return f"{memory_estimate(LLAMA_3_1_8B, config, precision).total / GB:.1f}"


def test_the_table_of_memory_is_the_arithmetic_of_the_training() -> None:
    rows = re.findall(r"^\| (\w+)[^|]* \| ([\d.]+) \| ([\d.]+) \|$", TEXT, re.MULTILINE)
    methods: tuple[Method, ...] = ("qlora", "lora", "dora", "full")
    assert rows == [(method, estimate(method, 1), estimate(method, 8)) for method in methods]
    assert f"needs {estimate('lora', 1)} GB" in TEXT
