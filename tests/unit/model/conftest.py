"""A small model that knows nothing, made once: two layers, 64 wide."""

import pytest

from rag_llm_system.model.finetuning.base_model import LoadedModel, make_scratch
from rag_llm_system.model.finetuning.config import ScratchSettings

TINY = ScratchSettings(
    vocab_size=400, hidden_size=64, layers=2, heads=2, kv_heads=1, max_positions=256,
    max_steps=2, batch_size=2, block_tokens=32,
)  # fmt: skip
TEXTS = ["A chunk is a slice of the text.", "Where are the vectors kept? In the store, by id."] * 4


@pytest.fixture(scope="session")
def tiny_shape() -> ScratchSettings:
    return TINY


@pytest.fixture
def tiny() -> LoadedModel:
    return make_scratch(TINY, TEXTS, seed=1)
