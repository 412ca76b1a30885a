from typing import Any

import pytest
import torch
from peft import get_peft_model
from pydantic import ValidationError
from transformers import LlamaConfig, LlamaForCausalLM

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.model.finetuning.arguments import lora_config
from rag_llm_system.model.finetuning.config import DpoSettings, ScratchSettings, TrainingConfig
from rag_llm_system.model.finetuning.memory import (
    GB,
    ModelShape,
    Precision,
    check_fits,
    memory_estimate,
    shape_of,
    shape_of_scratch,
)
from rag_llm_system.model.quiet import quiet

LLAMA_8B = ModelShape(
    hidden=4096, intermediate=14336, layers=32, heads=32, kv_heads=8, head_dim=128, vocabulary=128_256, tied=False
)  # fmt: skip
BF16 = Precision(weight=2, product=2, checkpointing=True)


def config(**others: Any) -> TrainingConfig:
    """One row of 4,096 tokens at a time, as in the usual tables."""
    given = {"base": "x", "epochs": 1, "batch_size": 1, "max_length": 4096}
    return TrainingConfig.model_validate(given | others)


def gigabytes(*, precision: Precision = BF16, **others: Any) -> float:
    return memory_estimate(LLAMA_8B, config(**others), precision).total / GB


def dpo(length: int) -> DpoSettings:
    return DpoSettings(epochs=1, batch_size=1, max_length=length)


def test_the_parameters_of_an_8_billion_llama_are_counted():
    assert LLAMA_8B.parameters == 8_030_261_248
    assert LLAMA_8B.adapter_parameters(config()) == 41_943_040


def test_the_shape_is_that_of_the_model_that_the_configuration_describes():
    described = LlamaConfig(
        vocab_size=300, hidden_size=64, intermediate_size=160, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=True,
    )  # fmt: skip
    with torch.device("meta"):
        model = LlamaForCausalLM(described)

    assert shape_of(described).parameters == sum(p.numel() for p in model.parameters())


def test_the_default_model_from_scratch_has_3_million_parameters():
    assert 3_100_000 < shape_of_scratch(ScratchSettings()).parameters < 3_200_000


@pytest.mark.parametrize(
    ("gb", "others"),
    [
        (9, {"method": "qlora"}),
        (20, {"method": "lora"}),
        (21, {"method": "dora"}),
        (11, {"method": "qlora", "dpo": dpo(4096)}),
        (22, {"method": "lora", "dpo": dpo(4096)}),
        (51, {"method": "full", "optimizer": "adamw_8bit"}),
    ],
)
def test_what_8_billion_parameters_need_is_near_the_usual_arithmetic(
    gb: float, others: dict[str, Any]
):
    assert gigabytes(**others) == pytest.approx(gb, rel=0.15)


def test_full_fine_tuning_in_float32_needs_16_bytes_a_parameter():
    exact = Precision(weight=4, product=2, checkpointing=True)

    estimate = memory_estimate(LLAMA_8B, config(method="full"), exact)

    states = estimate.gradients + estimate.optimizer + 4 * LLAMA_8B.parameters
    assert states == 16 * LLAMA_8B.parameters


def test_without_checkpointing_each_layer_keeps_its_activations():
    kept = Precision(weight=2, product=2, checkpointing=False)

    assert gigabytes(precision=kept) > 2 * gigabytes()


@pytest.mark.parametrize(
    ("free_gb", "others", "way_out"),
    [
        (16, {}, "use method: qlora"),
        (24, {"batch_size": 8}, "use batch_size: 1, gradient_accumulation: 8"),
        (24, {"method": "full"}, "use method: lora"),
        (11, {"method": "full"}, "use method: qlora"),
        (2, {}, "use a smaller base or a larger machine"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(
    free_gb: float, others: dict[str, Any], way_out: str
):
    with pytest.raises(ConfigurationError, match=rf"has {free_gb} GB free: {way_out}$"):
        check_fits(LLAMA_8B, config(**others), BF16, free=int(free_gb * GB), device="GPU")


def test_activations_that_do_not_fit_are_checkpointed():
    kept = Precision(weight=2, product=2, checkpointing=False)
    with pytest.raises(ConfigurationError, match=r"use activation_checkpointing: true$"):
        check_fits(LLAMA_8B, config(), kept, free=24 * GB, device="GPU")


def test_the_check_can_be_left_out_and_what_fits_is_not_refused():
    check_fits(LLAMA_8B, config(check_memory=False), BF16, free=1, device="GPU")
    check_fits(LLAMA_8B, config(), BF16, free=24 * GB, device="GPU")


def kept_by_autograd(model: Any, rows: int, length: int) -> int:
    """Bytes that a forward pass leaves for the backward pass, weights aside."""
    own = {p.data_ptr() for p in model.parameters()}
    sizes: dict[int, int] = {}
    held: list[torch.Tensor] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if tensor.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
        held.append(tensor)  # freed, its place would be taken by another
        return tensor

    ids = torch.zeros((rows, length), dtype=torch.long)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model.train()(input_ids=ids, use_cache=False)
    return sum(sizes.values())


@pytest.mark.parametrize("method", ["full", "lora", "dora"])
def test_the_activations_are_near_what_autograd_keeps(method: str):
    described = LlamaConfig(
        vocab_size=300, hidden_size=256, intermediate_size=640, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, attn_implementation="sdpa",
    )  # fmt: skip
    settings = TrainingConfig.model_validate(
        {"base": "x", "epochs": 1, "method": method, "batch_size": 2, "max_length": 128}
    )
    exact = Precision(weight=4, product=4, checkpointing=False)
    torch.manual_seed(0)
    whole = LlamaForCausalLM(described)
    with quiet():
        if method != "full":
            get_peft_model(whole, lora_config(settings))  # in place

    kept = kept_by_autograd(whole.model, rows=2, length=128)

    estimate = memory_estimate(shape_of(described), settings, exact)
    assert estimate.activations == pytest.approx(kept, rel=0.25)


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(ValidationError, match="optimizer"):
        config(optimizer="sgd")
