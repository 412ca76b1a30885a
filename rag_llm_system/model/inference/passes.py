"""Runs a model over the rows of a slot cache, and finds out beforehand whether that gives what it should."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.inference.slots import SlotCache

_ROUNDING, _COARSE_ROUNDING = 1e-3, 5e-2
"""How far two passes' scores may be apart, of their length: in float32, and in 16 bits, where rounding differs with
the shape. What a wrong position does is many times that."""

_PROBES = [1, 2, 3, 4, 5, 6, 7], [9, 8, 7, 6]
"""Two rows of tokens, of different lengths so that positions and masks matter."""

_UNFIT = (RuntimeError, ValueError, IndexError, TypeError, AttributeError, KeyError)
"""How models fail that keep something else than keys and values, or take no positions."""


class Passes:
    """``count`` tells how often the model was run. Not for several threads."""

    def __init__(self, loaded: LoadedModel, cache_bytes: int) -> None:
        """Raises ConfigurationError for a model whose rows cannot be written together."""
        self._model = loaded.model
        self._model.eval()
        self._only_last = (
            {"logits_to_keep": 1}
            if "logits_to_keep" in inspect.signature(loaded.model.forward).parameters
            else {}
        )
        self.cache = SlotCache(loaded.model.device)
        self.count = 0
        with torch.inference_mode():
            reason = _attention(loaded.model.config) or self._probed()
        if reason:
            raise ConfigurationError(
                f"{type(loaded.model).__name__} cannot write several answers together ({reason}); set"
                " INFERENCE_ENGINE=plain"
            )
        self.most_tokens = cache_bytes // max(1, self.cache.token_bytes)
        self.cache.release()
        self.count = 0

    def read(self, row: int, start: int, token_ids: Sequence[int]) -> Any:
        """More of a prompt; the scores of what comes after its last token, as one row."""
        positions, mask = self.cache.read(row, start, len(token_ids))
        return self._run([list(token_ids)], positions, mask)

    def write(self, token_ids: Sequence[int], lengths: Sequence[int]) -> Any:
        """The newest token of each row; the scores of what comes after, a row each."""
        positions, mask = self.cache.write(list(lengths))
        return self._run([[token_id] for token_id in token_ids], positions, mask)

    def _run(self, token_ids: list[list[int]], positions: Any, mask: Any) -> Any:
        self.count += 1
        output = self._model(
            input_ids=torch.tensor(token_ids, device=self._model.device),
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
            **self._only_last,
        )
        return output.logits[:, -1].float()

    def _probed(self) -> str:
        """Why the rows do not give what the model gives without a cache; "" where they do."""
        self.cache.reserve(len(_PROBES), max(map(len, _PROBES)) + 1, 1 << 10)
        exact = self._model.dtype == torch.float32
        try:
            read = []
            for row, ids in enumerate(_PROBES):
                self.read(row, 0, ids[:3])
                read.append(self.read(row, 3, ids[3:])[0])
            written = self.write([1] * len(_PROBES), [len(ids) for ids in _PROBES])
            for row, ids in enumerate(_PROBES):
                whole = (
                    self._model(
                        input_ids=torch.tensor([[*ids, 1]], device=self._model.device),
                        use_cache=False,
                    )
                    .logits[0, -2:]
                    .float()
                )
                own = torch.stack([read[row], written[row]])
                apart = float((own - whole).norm() / whole.norm())
                if not apart < (_ROUNDING if exact else _COARSE_ROUNDING):
                    return "they come out differently than alone"
        except _UNFIT as error:
            return f"{type(error).__name__}: {error}"
        return ""


def _attention(config: Any) -> str:
    """Why the masks of a slot cache do not fit this model; "" where they do."""
    kind = getattr(config, "_attn_implementation", None)
    if kind != "sdpa":
        return f"its attention is {kind!r}, not 'sdpa'"
    window = getattr(config, "sliding_window", None)
    layers = getattr(config, "layer_types", None) or ["sliding_attention"]
    if window and "sliding_attention" in layers and window < config.max_position_embeddings:
        return f"it looks back {window} tokens only"
    return ""
