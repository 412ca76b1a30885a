"""The model to fine-tune: a small Llama 3 made on the spot, or one from Hugging Face or a folder."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import SecretStr
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from rag_llm_system.model.finetuning.chat_template import (
    BEGIN_OF_TEXT,
    END_OF_TURN,
    PAD,
    SPECIAL_TOKENS,
    prepare_tokenizer,
)
from rag_llm_system.model.finetuning.config import SCRATCH, ScratchSettings

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


def load_base(base: str, *, dtype: torch.dtype, token: SecretStr | None = None) -> LoadedModel:
    """A Llama 3 model by its Hugging Face id or folder, ready to be trained.

    Raises ConfigurationError when it is not there, is gated, or is not a Llama 3 model.
    """
    if (Path(base).is_absolute() or base.startswith(".")) and not Path(base).is_dir():
        raise MissingFile(f"base {base!r}: no such folder; name another, or use base: scratch")
    secret = token.get_secret_value() if token else None
    try:
        tokenizer = AutoTokenizer.from_pretrained(base, token=secret or None)
        model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, token=secret or None)
    except (OSError, ValueError) as error:
        reason = textwrap.shorten(str(error), _LONGEST_REASON) or type(error).__name__
        raise ConfigurationError(
            f"base {base!r} cannot be loaded ({reason}); for a gated model set HUGGINGFACE_ACCESS_TOKEN,"
            " without a model hub use a local folder or base: scratch"
        ) from error
    prepare_tokenizer(tokenizer, base)
    return LoadedModel(model=model, tokenizer=tokenizer)


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
