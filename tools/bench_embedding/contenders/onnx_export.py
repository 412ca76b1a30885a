"""Writes the weights as ONNX for fastembed, in a process of its own: torch would count as its memory."""

import shutil
import sys
from pathlib import Path

import torch
from transformers import AutoModel

from tools.bench_embedding.contenders.engine import onnx_file, weights

_COPIED = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
_INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
_OUTPUTS = ["last_hidden_state"]


class _Tokens(torch.nn.Module):
    """The vectors of all tokens, without pooling: fastembed's own models end there too."""

    def __init__(self) -> None:
        super().__init__()
        # plain attention: of the other graph, with sdpa, onnxruntime takes about a tenth longer
        self.model = AutoModel.from_pretrained(weights(), attn_implementation="eager").eval()

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        output = self.model(input_ids=ids, attention_mask=mask, token_type_ids=types)
        vectors: torch.Tensor = output.last_hidden_state
        return vectors


def export(folder: Path) -> None:
    """The model and what its tokenizer needs."""
    target = onnx_file(folder)
    target.parent.mkdir()
    for name in _COPIED:
        shutil.copy(weights() / name, target.parent)
    ones = torch.ones((2, 8), dtype=torch.long)
    with torch.inference_mode():
        torch.onnx.export(
            _Tokens(),
            (ones, ones, torch.zeros_like(ones)),
            target,
            dynamo=False,  # the other exporter needs onnxscript
            input_names=_INPUTS,
            output_names=_OUTPUTS,
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in _INPUTS + _OUTPUTS},
        )


if __name__ == "__main__":
    export(Path(sys.argv[1]))
