"""The tokenizer of a Llama 3 model in GGUF's terms, and what llama.cpp will do otherwise with it."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gguf import GGUFWriter, TokenType
from tokenizers import Tokenizer

from rag_llm_system.domain.errors import ConfigurationError, DataError
from rag_llm_system.model.finetuning.chat_template import END_OF_TURN, serving_template

_PRE_TOKENIZERS = {
    "d98f9631be1e9607a9848c26c1f9eac1aa9fc21ac6ba82a2fc0741af9780a48f": "llama-bpe",
}
"""llama.cpp knows how a tokenizer splits text by name; the key is the SHA-256 of its split patterns."""
_UNKNOWN = "default"


@dataclass(frozen=True)
class Vocabulary:
    """The tokens by their id, and the merges in the order in which they are tried."""

    tokens: tuple[str, ...]
    types: tuple[int, ...]
    merges: tuple[str, ...]
    pre_tokenizer: str
    warnings: tuple[str, ...]


def read_vocabulary(tokenizer: Any, size: int) -> Vocabulary:
    """``size`` is the number of rows of the embedding; what has no token there is filled with unused ones.

    Raises ConfigurationError for a tokenizer that is no byte-level BPE, DataError when it has more tokens than
    the model.
    """
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    decoder = (content["decoder"] or {}).get("type")
    if content["model"]["type"] != "BPE" or decoder != "ByteLevel":
        raise ConfigurationError(
            f"the tokenizer is {content['model']['type']} with decoder {decoder}; GGUF is written for"
            " byte-level BPE as in Llama 3"
        )
    names, types = _tokens(content, size)
    pre_tokenizer = _PRE_TOKENIZERS.get(_digest(content["pre_tokenizer"]), _UNKNOWN)
    return Vocabulary(
        tokens=tuple(names),
        types=tuple(types),
        merges=tuple(
            pair if isinstance(pair, str) else " ".join(pair) for pair in content["model"]["merges"]
        ),
        pre_tokenizer=pre_tokenizer,
        warnings=tuple(_warnings(content, pre_tokenizer)),
    )


def add_vocabulary(writer: GGUFWriter, vocabulary: Vocabulary, tokenizer: Any) -> None:
    writer.add_tokenizer_model("gpt2")  # GGUF's word for byte-level BPE
    writer.add_tokenizer_pre(vocabulary.pre_tokenizer)
    writer.add_token_list(list(vocabulary.tokens))
    writer.add_token_types(list(vocabulary.types))
    writer.add_token_merges(list(vocabulary.merges))
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_eot_token_id(tokenizer.convert_tokens_to_ids(END_OF_TURN))
    if tokenizer.pad_token_id is not None:
        writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)  # the chat template writes it
    writer.add_chat_template(serving_template(tokenizer.chat_template))


def _tokens(content: dict[str, Any], size: int) -> tuple[list[str], list[int]]:
    known = dict.fromkeys(content["model"]["vocab"].items(), TokenType.NORMAL)
    for added in content["added_tokens"]:
        known[added["content"], added["id"]] = (
            TokenType.CONTROL if added["special"] else TokenType.USER_DEFINED
        )
    by_id = {number: (name, kind) for (name, number), kind in known.items()}
    if max(by_id) >= size:
        raise DataError(
            f"the tokenizer has {max(by_id) + 1:,} tokens, the model's embedding {size:,}: they do not belong together"
        )
    rows = [by_id.get(number, (f"[PAD{number}]", TokenType.UNUSED)) for number in range(size)]
    return [name for name, _ in rows], [int(kind) for _, kind in rows]


def _digest(pre_tokenizer: dict[str, Any] | None) -> str:
    parts = (pre_tokenizer or {}).get("pretokenizers", [pre_tokenizer or {}])
    patterns = [part["pattern"].get("Regex", "") for part in parts if part.get("type") == "Split"]
    return sha256("".join(patterns).encode()).hexdigest()


def _warnings(content: dict[str, Any], pre_tokenizer: str) -> list[str]:
    if pre_tokenizer == _UNKNOWN:
        return [
            "llama.cpp has no name for how this tokenizer splits text: it will split as its default does,"
            " and may see other tokens than the model was trained on"
        ]
    if content["model"].get("ignore_merges"):
        return []
    model, special = _merging(content), {added["content"] for added in content["added_tokens"]}
    others = sum(
        len(model.tokenize(token)) != 1
        for token in content["model"]["vocab"]
        if token not in special
    )
    if not others:
        return []
    return [
        f"llama.cpp reads a word that is a token as that token, and {others} tokens of this tokenizer are"
        " not what their own text gives: some words will be other tokens than in training"
    ]


def _merging(content: dict[str, Any]) -> Any:
    """What turns one word into tokens, without the splitting before it."""
    return Tokenizer.from_str(json.dumps({**content, "added_tokens": []})).model
