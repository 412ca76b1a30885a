"""fastembed with its own defaults, on the same weights as ONNX."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import Role
from tools.bench_embedding.contenders.engine import Engine, onnx_file
from tools.bench_embedding.flops import EncoderShape

_NAME = "bench/same-weights"


class _FastEmbed:
    dtype = "float32"

    def __init__(self, model: Path) -> None:
        # here, not above: it is in the extra "bench", and this module is imported by tests without it
        from fastembed import TextEmbedding
        from fastembed.common.model_description import ModelSource, PoolingType

        TextEmbedding.add_custom_model(
            model=_NAME,
            pooling=PoolingType.MEAN,
            normalization=True,
            sources=ModelSource(url=model.as_uri()),  # must be named, is not asked
            dim=EncoderShape.of(model.parent).hidden,
            model_file=model.name,
        )
        self._model = TextEmbedding(_NAME, specific_model_path=str(model.parent))

    def encode(self, texts: Sequence[str], role: Role) -> Vectors:  # noqa: ARG002 - no prompts here
        return np.stack(list(self._model.embed(texts)))


def open_fastembed(folder: Path) -> Engine:
    return _FastEmbed(onnx_file(folder))
