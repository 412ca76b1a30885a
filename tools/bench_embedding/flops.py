"""How much arithmetic a text costs an encoder of BERT's kind."""

import json
from pathlib import Path

from rag_llm_system.domain.documents import Value


class EncoderShape(Value):
    """``hidden`` and ``intermediate`` are the widths of a layer and of the middle of its feed-forward part."""

    layers: int
    hidden: int
    intermediate: int

    @classmethod
    def of(cls, folder: Path) -> "EncoderShape":
        """As the ``config.json`` of a transformers model says."""
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return cls(
            layers=config["num_hidden_layers"],
            hidden=config["hidden_size"],
            intermediate=config["intermediate_size"],
        )

    @property
    def linear_parameters(self) -> int:
        """Weights of all layers that every token is multiplied with: query, key, value, output; up, down."""
        return self.layers * (4 * self.hidden**2 + 2 * self.hidden * self.intermediate)

    def flops(self, tokens: int) -> int:
        """Of one text with its special tokens and no padding, an addition and a multiplication being two.

        Linear layers: 2 x parameters x tokens. Attention: 2 x hidden x tokens^2 for the scores and as many for their
        sums, in each layer. What is no matrix multiplication (norms, softmax, GELU, pooling) is left out.
        """
        return 2 * self.linear_parameters * tokens + 4 * self.layers * self.hidden * tokens**2
