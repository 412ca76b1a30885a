"""Llama models as one GGUF file, the format of llama.cpp and Ollama; written tensor by tensor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from gguf import (
    GGML_QUANT_VERSION,
    MODEL_ARCH,
    GGMLQuantizationType,
    GGUFWriter,
    LlamaFileType,
    get_tensor_name_map,
)
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import quantize
from numpy.typing import NDArray
from safetensors import safe_open
from transformers import AutoConfig, AutoTokenizer
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from rag_llm_system.domain.errors import ConfigurationError, DataError, MissingFile
from rag_llm_system.model.export.gguf_vocabulary import add_vocabulary, read_vocabulary
from rag_llm_system.model.export.outputs import new_file

Quantisation = Literal["f16", "bf16", "q8_0"]
QUANTISATIONS: tuple[Quantisation, ...] = get_args(Quantisation)

_KINDS = {
    "f16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "bf16": (GGMLQuantizationType.BF16, LlamaFileType.MOSTLY_BF16),
    "q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
}
_ROPE_TYPES = {"default", "linear", "llama3"}
"""Scalings of the rotary embedding that divide each frequency by a constant; ``rope_freqs`` holds these."""
_TIED = "lm_head.weight"
_NOT_WEIGHTS = "rotary_emb.inv_freq"


@dataclass(frozen=True)
class GGUFFile:
    """What was written; ``warnings`` are lines for who exports."""

    path: Path
    size_bytes: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """Where a tensor comes from and what becomes of it; ``heads`` is 0 for those without rotary embedding."""

    source: Path
    key: str
    shape: tuple[int, ...]
    kind: GGMLQuantizationType
    heads: int


def write_gguf(
    folder: Path, path: Path, *, quantisation: Quantisation = "f16", name: str = ""
) -> GGUFFile:
    """``folder`` is a plain Transformers folder, as :func:`~rag_llm_system.model.export.merge.merge` leaves it.

    The largest tensor alone is in memory. A file that is at ``path`` stays until the new one is whole. Raises
    ConfigurationError for another architecture than Llama, MissingFile without weights.
    """
    config = AutoConfig.from_pretrained(folder)
    _check(config, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    vocabulary = read_vocabulary(tokenizer, config.vocab_size)
    kind, file_type = _KINDS[quantisation]
    places = dict(sorted(_places(folder, config, kind).items()))
    factors = _rope_factors(config)
    with new_file(path) as unfinished:
        writer = GGUFWriter(unfinished, "llama")
        try:
            writer.add_name(name or folder.name)
            writer.add_file_type(file_type)
            writer.add_quantization_version(GGML_QUANT_VERSION)
            _add_shape(writer, config)
            add_vocabulary(writer, vocabulary, tokenizer)
            _write_tensors(writer, places, factors)
        finally:
            writer.close()
    return GGUFFile(path, path.stat().st_size, vocabulary.warnings)


def _check(config: Any, folder: Path) -> None:
    if config.model_type != "llama":
        raise ConfigurationError(
            f"{folder}: architecture {config.model_type!r} cannot be written as GGUF here; supported: llama."
            " Export it merged, and convert it with llama.cpp"
        )
    rope = config.rope_parameters["rope_type"]
    if rope not in _ROPE_TYPES:
        raise ConfigurationError(
            f"{folder}: rope_type {rope!r} cannot be written as GGUF here; supported: {', '.join(sorted(_ROPE_TYPES))}"
        )


def _add_shape(writer: GGUFWriter, config: Any) -> None:
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)


def _rope_factors(config: Any) -> NDArray[np.float32] | None:
    """What each rotary frequency is divided by, as the model itself does; None where it is 1 throughout."""
    if config.rope_parameters["rope_type"] == "default":
        return None
    plain, _ = LlamaRotaryEmbedding.compute_default_rope_parameters(config)
    factors: NDArray[np.float32] = (plain / LlamaRotaryEmbedding(config).inv_freq).numpy()
    return factors


def _places(folder: Path, config: Any, kind: GGMLQuantizationType) -> dict[str, _Place]:
    """By the tensor's name in GGUF."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise MissingFile(f"{folder}: no *.safetensors in it; export the trained model as merged")
    names = get_tensor_name_map(MODEL_ARCH.LLAMA, config.num_hidden_layers)
    places: dict[str, _Place] = {}
    for file in files:
        with safe_open(file, framework="pt") as tensors:
            for key in tensors.keys():  # noqa: SIM118 - not a mapping
                if key.endswith(_NOT_WEIGHTS) or (key == _TIED and config.tie_word_embeddings):
                    continue
                name = names.get_name(key, try_suffixes=(".weight", ".bias"))
                if name is None:
                    raise ConfigurationError(
                        f"{file}: GGUF's Llama has no place for {key!r}; is an adapter not merged?"
                    )
                shape = tuple(tensors.get_slice(key).get_shape())
                places[name] = _Place(file, key, shape, _kind_for(shape, kind), _heads(key, config))
    return places


def _heads(key: str, config: Any) -> int:
    if ".q_proj." in key:
        return int(config.num_attention_heads)
    return int(config.num_key_value_heads) if ".k_proj." in key else 0


def _kind_for(shape: tuple[int, ...], kind: GGMLQuantizationType) -> GGMLQuantizationType:
    """Vectors stay in full precision; rows that do not fill whole blocks are not quantised."""
    if len(shape) == 1:
        return GGMLQuantizationType.F32
    return GGMLQuantizationType.F16 if shape[-1] % GGML_QUANT_SIZES[kind][0] else kind


def _write_tensors(
    writer: GGUFWriter, places: Mapping[str, _Place], factors: NDArray[np.float32] | None
) -> None:
    if factors is not None:
        writer.add_tensor_info("rope_freqs.weight", factors.shape, factors.dtype, factors.nbytes)
    for name, place in places.items():
        values_each, bytes_each = GGML_QUANT_SIZES[place.kind]
        size = int(np.prod(place.shape)) // values_each * bytes_each
        writer.add_tensor_info(name, place.shape, np.dtype(np.float32), size, place.kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    if factors is not None:
        writer.write_tensor_data(factors)
    for values in _values(places):
        writer.write_tensor_data(values)


def _values(places: Mapping[str, _Place]) -> Iterator[NDArray[Any]]:
    for place in places.values():
        with safe_open(place.source, framework="pt") as tensors:
            values = tensors.get_tensor(place.key).to(torch.float32).numpy()
        if place.heads:
            values = _interleaved(values, place.heads)
        with np.errstate(over="ignore"):
            stored = quantize(values, place.kind)
        if place.kind is GGMLQuantizationType.F16 and not np.isfinite(stored).all():
            raise DataError(f"{place.key}: its values are too large for f16; export as bf16")
        yield stored


def _interleaved(values: NDArray[Any], heads: int) -> NDArray[Any]:
    """Transformers rotates the first half of a head with the second, llama.cpp each value with its neighbour."""
    halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
    return halves.swapaxes(1, 2).reshape(values.shape)
