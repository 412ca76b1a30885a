"""What each token of a tokenizer writes, in bytes, found by its beginning or by a part."""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rag_llm_system.domain.errors import ConfigurationError

_SPACE_SYMBOL = "\u2581"
"""How SentencePiece writes a space inside a token."""


class TokenTexts:
    """The vocabulary, sorted by bytes. ``texts`` has one entry per token id, None where a token writes nothing."""

    def __init__(self, texts: Sequence[bytes | None], never: Iterable[int] = ()) -> None:
        self.size = len(texts)
        self.never = sorted(never)
        """Tokens that write what another token writes, in a form that decoders may not give back."""
        self._texts = texts
        hidden = set(self.never)
        self._ids: dict[bytes, list[int]] = {}
        for token_id, text in enumerate(texts):
            if text and token_id not in hidden:
                self._ids.setdefault(text, []).append(token_id)
        self._sorted = sorted(self._ids)
        self._containing: dict[bytes, list[bytes]] = {}
        self._bytes = {text[0] for text in self._ids if len(text) == 1}
        self._has_fragments = any(map(_is_fragment, self._ids))

    def __getitem__(self, token_id: int) -> bytes:
        """b"" for special tokens, and for ids that the model has beyond its tokenizer."""
        return (self._texts[token_id] if token_id < self.size else None) or b""

    def ids(self, text: bytes) -> Sequence[int]:
        """The tokens that write exactly ``text``."""
        return self._ids.get(text, ())

    def starting_with(self, start: bytes) -> Iterator[bytes]:
        """Texts of tokens, in order."""
        for at in range(bisect_left(self._sorted, start), len(self._sorted)):
            if not self._sorted[at].startswith(start):
                return
            yield self._sorted[at]

    def containing(self, part: bytes) -> Sequence[bytes]:
        """Texts of tokens; looked for once."""
        if part not in self._containing:
            self._containing[part] = [text for text in self._sorted if part in text]
        return self._containing[part]

    def can_spell(self, text: str) -> bool:
        """Whether ``text`` can be written whatever tokens its beginning was written with."""
        missing = {char for char in set(text) if not self._bytes.issuperset(char.encode())}
        # a token that ends within a character could leave a rest that no token writes
        return not missing or (
            not self._has_fragments and all(self.ids(char.encode()) for char in missing)
        )


def token_texts(tokenizer: Any) -> TokenTexts:
    """Of byte-level BPE (Llama 3, Qwen, GPT-2) and SentencePiece (Llama 2, Gemma) tokenizers.

    Raises ConfigurationError for other kinds: where a token's text depends on its neighbours, none can be masked.
    """
    raw: Any = getattr(tokenizer, "backend_tokenizer", None)
    kinds = _decoder_kinds(json.loads(raw.decoder.__getstate__())) if raw and raw.decoder else set()
    is_byte_level = "ByteLevel" in kinds
    if not is_byte_level and not kinds & {"ByteFallback", "Metaspace", "Replace"}:
        raise ConfigurationError(
            f"grounded decoding knows no tokenizer such as {type(tokenizer).__name__}"
            f" (decoder: {', '.join(sorted(kinds)) or 'none'}); use a model with a byte-level or SentencePiece"
            " tokenizer, or set GROUNDED_DECODING=off"
        )
    text_of = _byte_level_text() if is_byte_level else _sentencepiece_text
    vocabulary: dict[str, int] = raw.get_vocab(with_added_tokens=True)
    texts: list[bytes | None] = [None] * (max(vocabulary.values()) + 1)
    for token, token_id in vocabulary.items():
        texts[token_id] = text_of(token)
    for token_id, added in raw.get_added_tokens_decoder().items():
        texts[token_id] = None if added.special else added.content.encode()
    for token_id in tokenizer.all_special_ids:
        texts[token_id] = None
    return TokenTexts(texts, [] if is_byte_level else _doubled(vocabulary))


def _decoder_kinds(decoder: dict[str, Any]) -> set[str]:
    parts = decoder.get("decoders") or [decoder]
    return {str(part["type"]) for part in parts}


def _byte_level_text() -> Callable[[str], bytes | None]:
    """GPT-2's alphabet: printable Latin-1 stands for itself, the other bytes for the characters from 256 on."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(256) if byte not in printable)
    bytes_of = {256 + n: byte for n, byte in enumerate(others)}

    def text_of(token: str) -> bytes | None:
        try:
            return token.translate(bytes_of).encode("latin-1")
        except UnicodeEncodeError:
            return None

    return text_of


def _sentencepiece_text(token: str) -> bytes:
    if _is_byte(token):
        return bytes([int(token[3:5], 16)])
    return token.replace(_SPACE_SYMBOL, " ").encode()


def _is_byte(token: str) -> bool:
    return len(token) == 6 and token.startswith("<0x") and token.endswith(">")


def _doubled(vocabulary: dict[str, int]) -> list[int]:
    """Byte tokens of ASCII characters that have a token of their own.

    A decoder gives a run of byte tokens back as text only when all of it is UTF-8: a mark could get lost in it.
    """
    return [
        token_id
        for token, token_id in vocabulary.items()
        if _is_byte(token)
        and (byte := int(token[3:5], 16)) < 128
        and _own_token(byte) in vocabulary
    ]


def _own_token(byte: int) -> str:
    return chr(byte).replace(" ", _SPACE_SYMBOL)


def _is_fragment(text: bytes) -> bool:
    """Whether it begins or ends within a character."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return True
    return False
