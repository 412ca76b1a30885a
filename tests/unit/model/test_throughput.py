import pytest
import torch

from rag_llm_system.model.finetuning.memory import ModelShape
from rag_llm_system.model.finetuning.throughput import peak_of, training_flops_per_token

SHAPE = ModelShape(
    hidden=64, intermediate=160, layers=2, heads=2, kv_heads=1, head_dim=32, vocabulary=400, tied=True
)  # fmt: skip
MULTIPLIED = SHAPE.linear_parameters + 400 * 64
ATTENTION = 12 * 2 * 2 * 32 * 100


def test_full_training_costs_6_operations_a_weight_and_the_attention():
    flops = training_flops_per_token(SHAPE, 100, method="full", trained=SHAPE.parameters)

    assert flops == 6 * MULTIPLIED + ATTENTION


def test_the_gradients_of_frozen_weights_are_not_computed():
    flops = training_flops_per_token(SHAPE, 100, method="lora", trained=1000)

    assert flops == 4 * MULTIPLIED + 6 * 1000 + ATTENTION


def test_a_reference_adds_a_forward_pass():
    without, with_it = (
        training_flops_per_token(SHAPE, 100, method="lora", trained=0, reference=reference)
        for reference in (False, True)
    )

    assert with_it - without == pytest.approx(2 * MULTIPLIED + ATTENTION / 3)


@pytest.mark.parametrize(
    ("name", "flops"),
    [
        ("NVIDIA H200", 989.4e12),
        ("NVIDIA H100 80GB HBM3", 989.4e12),
        ("NVIDIA H100 PCIe", 756.4e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA L4", 121e12),
        ("Tesla T4", 65e12),
        ("NVIDIA GeForce RTX 4090", 165.2e12),
    ],
)
def test_the_peak_of_a_known_gpu_is_that_of_its_data_sheet(
    monkeypatch: pytest.MonkeyPatch, name: str, flops: float
):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: name)

    assert peak_of("cuda", bf16=True) == (flops, False)


def test_the_peak_of_a_processor_is_measured():
    peak = peak_of("cpu", bf16=False)

    assert peak.measured
    assert 1e8 < peak.flops_per_s < 1e14
