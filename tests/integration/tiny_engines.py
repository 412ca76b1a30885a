"""A real engine with a model that is made on the spot and has learned nothing."""

from rag_llm_system.model.finetuning.base_model import make_scratch
from rag_llm_system.model.finetuning.config import ScratchSettings
from rag_llm_system.model.inference.batched_engine import BatchedEngine, BatchLimits


def tiny_engine(*, max_rows: int = 8, max_waiting: int = 32) -> BatchedEngine:
    """Its answers are nonsense, and the same whenever they are asked for at temperature 0."""
    shape = ScratchSettings(
        vocab_size=400, hidden_size=64, layers=2, heads=2, kv_heads=1, max_positions=4096
    )
    return BatchedEngine(
        make_scratch(shape, ["a few words"], seed=1),
        "tiny",
        max_waiting=max_waiting,
        limits=BatchLimits(max_rows=max_rows),
    )
