"""Chooses how a model is computed: on which device, with which numbers, by which implementation."""

import logging
from collections.abc import Sequence
from typing import Protocol

import torch

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.infrastructure.embedders.encoder_files import EncoderFiles
from rag_llm_system.infrastructure.embedders.packed_encoder import PackedEncoder, can_pack

_log = logging.getLogger(__name__)

# Short numbers that keep this to exact ones cost less than 0.001 of nDCG@10 (measured on scifact and cosqa-dev).
_LEAST_COSINE = 0.999
_PROBES = (
    "How are models fine-tuned?",
    "Retrieval finds passages that share meaning, not words; " * 6,
    "def total(items: list[Item]) -> Decimal:\n    return sum((i.price for i in items), Decimal(0))",
    "Überraschung: 2026 wurden 17,3 % mehr Bäume gepflanzt!",
)


class Engine(Protocol):
    """A loaded model. ``max_length`` counts special tokens."""

    dimension: int
    max_length: int

    def embed(self, texts: Sequence[str], ids: Sequence[Sequence[int]], prompt: str) -> Vectors:
        """Rows of length 1 for texts whose tokens, those of the prompt and special ones included, are ``ids``."""

    def embed_with_tokens(
        self, texts: Sequence[str], ids: Sequence[Sequence[int]], prompt: str
    ) -> tuple[Vectors, list[Vectors]]:
        """Also, from the same pass, the last states of all these tokens: of each text (len(ids), size), rows of
        length 1; no rows from a model that has no such states."""


def load_engine(files: EncoderFiles, device: str, dtype: str) -> Engine:
    """``auto`` numbers are the quick ones of the device, where this model agrees with itself in exact ones."""
    device = _best_device() if device == "auto" else device
    if dtype != "auto":
        return _load(files, device, getattr(torch, dtype))
    exact, quick = _load(files, device, torch.float32), _quick_numbers(device)
    if quick is None:
        return exact
    candidate = _load(files, device, quick)
    cosine = _least_cosine(files, exact, candidate)
    if cosine >= _LEAST_COSINE:
        return candidate
    _log.warning(
        "%s loses too much in %s (cosine %.4f): it runs in float32", files.folder, quick, cosine
    )
    return exact


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _quick_numbers(device: str) -> torch.dtype | None:
    if device.startswith("cuda"):
        return torch.float16
    # torch emulates bfloat16 on other processors, slower than float32; those with AMX have these instructions too
    return torch.bfloat16 if device == "cpu" and torch.cpu._is_avx512_bf16_supported() else None


def _load(files: EncoderFiles, device: str, dtype: torch.dtype) -> Engine:
    if device == "cpu" and dtype in {torch.float32, torch.bfloat16} and can_pack(files):
        return PackedEncoder(files, dtype)
    # takes longer to import than everything else together, and most models do without
    from rag_llm_system.infrastructure.embedders.general_encoder import GeneralEncoder

    return GeneralEncoder(files, dtype, device)


def _least_cosine(files: EncoderFiles, one: Engine, other: Engine) -> float:
    prompt = files.prompt("document")
    encoded = files.tokenizer.encode_batch([prompt + text for text in _PROBES])
    fitting = [
        (t, e.ids) for t, e in zip(_PROBES, encoded, strict=True) if len(e.ids) <= one.max_length
    ]
    texts, ids = [t for t, _ in fitting], [i for _, i in fitting]
    return float((one.embed(texts, ids, prompt) * other.embed(texts, ids, prompt)).sum(1).min())
