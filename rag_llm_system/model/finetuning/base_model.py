"""The model to fine-tune: a small Llama 3 made on the spot, or one from Hugging Face or a folder."""

import importlib.util
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import SecretStr
from safetensors import SafetensorError
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from rag_llm_system.domain.errors import ConfigurationError, MissingExtra, MissingFile
from rag_llm_system.model.finetuning.chat_template import (
    BEGIN_OF_TEXT,
    END_OF_TURN,
    PAD,
    SPECIAL_TOKENS,
    prepare_tokenizer,
)
from rag_llm_system.model.finetuning.config import SCRATCH, ScratchSettings
from rag_llm_system.model.finetuning.processes import processes

_FAMILY = "llama"
_LONGEST_REASON = 160
"""Characters of a vendor's message that are worth repeating; the rest is advice for others."""

_WORDS = Regex(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Llama 3's tokenizer splits text before byte pairs are merged."""


@dataclass(frozen=True)
class LoadedModel:
    """A model and the tokenizer that belongs to it."""

    model: Any
    tokenizer: Any


def make_scratch(shape: ScratchSettings, texts: Iterable[str], seed: int) -> LoadedModel:
    """A randomly initialised Llama 3, its tokenizer trained on ``texts``."""
    tokenizer = _train_tokenizer(texts, shape.vocab_size)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=shape.hidden_size,
            # SwiGLU's 8/3, rounded down to a multiple of 32
            intermediate_size=max(32, shape.hidden_size * 8 // 3 // 32 * 32),
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            head_dim=shape.hidden_size // shape.heads,
            max_position_embeddings=shape.max_positions,
            rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},
            rms_norm_eps=1e-5,
            initializer_range=0.05,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    return LoadedModel(model=model, tokenizer=tokenizer)


def read_config(base: str, token: SecretStr | None = None) -> Any:
    """The ``config.json`` of a Llama by its Hugging Face id or folder; nothing else is read.

    Raises ConfigurationError when it is not there, is gated, or is of another family.
    """
    if (Path(base).is_absolute() or base.startswith(".")) and not Path(base).is_dir():
        raise MissingFile(f"base {base!r}: no such folder; name another, or use base: scratch")
    with _explained(base):
        config = AutoConfig.from_pretrained(base, token=_secret(token))
    if config.model_type != _FAMILY:
        raise ConfigurationError(
            f"base {base!r} is a model of the family {config.model_type!r}; use one of Llama 3, or base: scratch"
        )
    return config


def load_base(
    base: str,
    *,
    dtype: torch.dtype,
    token: SecretStr | None = None,
    attention: str | None = None,
    quantised: bool = False,
) -> LoadedModel:
    """A Llama 3 model by its Hugging Face id or folder, ready to be trained; ``quantised``: in 4 bits (NF4).

    Raises ConfigurationError when it is not there, is gated, or is not a Llama 3 model.
    """
    read_config(base, token)
    quantisation = _in_4_bits(dtype) if quantised else {}
    with _explained(base):
        tokenizer = AutoTokenizer.from_pretrained(base, token=_secret(token))
        prepare_tokenizer(tokenizer, base)
        model = AutoModelForCausalLM.from_pretrained(
            base, dtype=dtype, token=_secret(token), attn_implementation=attention, **quantisation
        )
    for module in model.modules() if quantised else ():
        # on a processor the library repacks weights when they are first evaluated: rounded, and not in any shape
        module.support_avx512bf16_for_cpu = False
    return LoadedModel(model=model, tokenizer=tokenizer)


def _in_4_bits(dtype: torch.dtype) -> dict[str, Any]:
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtra("qlora", extra="qlora")
    here = f"cuda:{processes().local_process_index}" if torch.cuda.is_available() else "cpu"
    return {
        "device_map": {"": here},
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        ),
    }


def _secret(token: SecretStr | None) -> str | None:
    return (token.get_secret_value() if token else None) or None


@contextmanager
def _explained(base: str) -> Iterator[None]:
    """Errors of the library as one line that says what to do."""
    try:
        yield
    except (OSError, ValueError, SafetensorError) as error:
        reason = textwrap.shorten(str(error), _LONGEST_REASON) or type(error).__name__
        raise ConfigurationError(
            f"base {base!r} cannot be loaded ({reason}); for a gated model set HUGGINGFACE_ACCESS_TOKEN,"
            " without a model hub use a local folder or base: scratch"
        ) from error


def _train_tokenizer(texts: Iterable[str], vocab_size: int) -> Any:
    """A byte-level tokenizer: any text can be written, whatever it was trained on."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_WORDS, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw.decoder = decoders.ByteLevel()
    raw.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=list(SPECIAL_TOKENS),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token=BEGIN_OF_TEXT,
        eos_token=END_OF_TURN,
        pad_token=PAD,
        clean_up_tokenization_spaces=False,
    )
    prepare_tokenizer(tokenizer, SCRATCH)
    return tokenizer
