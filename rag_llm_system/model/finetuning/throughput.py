"""How much of a device's arithmetic a training used."""

import time
from functools import cache
from typing import NamedTuple

import torch

from rag_llm_system.model.finetuning.config import Method
from rag_llm_system.model.finetuning.memory import ModelShape

_PEAK_BF16 = {
    "H200": 989.4e12,  # NVIDIA H200 data sheet: 1,979 with sparsity, as H100 SXM
    "H100 PCIE": 756.4e12,  # NVIDIA H100 data sheet: 1,513 with sparsity
    "H100 NVL": 835.5e12,  # NVIDIA H100 data sheet: 1,671 with sparsity
    "H100": 989.4e12,  # NVIDIA H100 data sheet, SXM: 1,979 with sparsity
    "A100": 312e12,  # NVIDIA A100 data sheet
    "L4": 121e12,  # NVIDIA L4 data sheet: 242 with sparsity
    "T4": 65e12,  # NVIDIA T4 data sheet, float16: it has no bfloat16
    "RTX 4090": 165.2e12,  # NVIDIA Ada architecture whitepaper, sums in float32
}
"""Floating-point operations a second in bfloat16 without sparsity, by a part of the device's name."""
_SIZES = {"cpu": 1024, "cuda": 8192}
_TRIES = 5


class Peak(NamedTuple):
    flops_per_s: float
    measured: bool


def training_flops_per_token(
    shape: ModelShape, row_tokens: float, *, method: Method, trained: int, reference: bool = False
) -> float:
    """Operations of the forward and the backward pass; what checkpointing computes again does not count.

    PaLM (Chowdhery and others, 2022, appendix B): 6 N + 12 L H Q T for L layers, H heads of size Q, rows of T tokens
    and N weights that are multiplied (the embeddings are looked up). Of the 6 N, 2 N are the forward pass, 2 N the
    gradients that are passed on and 2 N those of the weights; frozen weights have none, so that an adapter of
    ``trained`` weights costs 4 N + 6 ``trained``. ``reference``: DPO's second forward pass.
    """
    multiplied = shape.linear_parameters + shape.vocabulary * shape.hidden
    attention = 12 * shape.layers * shape.heads * shape.head_dim * row_tokens
    weights = 6 * multiplied if method == "full" else 4 * multiplied + 6 * trained
    forward = 2 * multiplied + attention / 3 if reference else 0.0
    return weights + attention + forward


def peak_of(device: str, *, bf16: bool) -> Peak:
    """The peak of the device ("cpu" or "cuda") in the type of the products, measured where no data sheet is known."""
    if device == "cuda" and bf16:
        name = torch.cuda.get_device_name().upper()
        for known, flops in _PEAK_BF16.items():
            if known in name.replace("-", " ").split() or (" " in known and known in name):
                return Peak(flops, measured=False)
    return Peak(_measured(device, torch.bfloat16 if bf16 else torch.float32), measured=True)


@cache
def _measured(device: str, dtype: torch.dtype) -> float:
    """The best of a few products of two square matrices."""
    size = _SIZES[device]
    generator = torch.Generator(device).manual_seed(0)  # leaves the training's random numbers alone
    one, two = (
        torch.randn(size, size, generator=generator, device=device).to(dtype) for _ in range(2)
    )
    torch.mm(one, two)  # the first one warms up
    seconds = []
    for _ in range(_TRIES):
        _wait(device)
        started = time.perf_counter()
        torch.mm(one, two)
        _wait(device)
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / min(seconds)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
