"""Turns generated tokens into pieces of text that never have to be taken back."""

from collections.abc import Sequence
from typing import Any

from tokenizers.decoders import DecodeStream


class TextPieces:
    """Special tokens are left out; text that may be the start of a stop string waits for the next token."""

    def __init__(self, tokenizer: Any, stop: Sequence[str] = ()) -> None:
        self._raw = tokenizer.backend_tokenizer
        self._decoded = DecodeStream(skip_special_tokens=True)
        self._stop = [text for text in stop if text]
        self._held = ""
        self.stopped = False
        """Whether a stop string came; what followed it is dropped."""

    def add(self, token_id: int) -> str:
        """The text that is certain after this token; "" while a character or a stop string is incomplete."""
        if self.stopped:
            return ""
        self._held += self._decoded.step(self._raw, token_id) or ""
        found = [at for at in map(self._held.find, self._stop) if at >= 0]
        if found:
            self.stopped = True
            piece, self._held = self._held[: min(found)], ""
            return piece
        keep = max((_overlap(self._held, text) for text in self._stop), default=0)
        cut = len(self._held) - keep
        piece, self._held = self._held[:cut], self._held[cut:]
        return piece

    def rest(self) -> str:
        """What waited for a stop string that did not come."""
        piece, self._held = self._held, ""
        return piece


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of ``text`` that ``stop`` begins with."""
    return next((n for n in range(min(len(text), len(stop)), 0, -1) if text.endswith(stop[:n])), 0)
