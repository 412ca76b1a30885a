"""sentence-transformers as its documentation shows it, in float32 on the processor."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import Role
from tools.bench_embedding.contenders.engine import Engine, weights

DOCUMENTED_BATCH = 10  # texts a call, in the documents this project builds on


class _SentenceTransformers:
    """``at_once`` is how many texts go to one call, 0 meaning all; the library makes batches of at most 32 of them."""

    dtype = "float32"

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._model = SentenceTransformer(str(weights()), device="cpu")

    def encode(self, texts: Sequence[str], role: Role) -> Vectors:  # noqa: ARG002 - no prompts here
        at_once = self._at_once or len(texts)
        calls = (texts[at : at + at_once] for at in range(0, len(texts), at_once))
        return np.concatenate(
            [self._model.encode(list(call), show_progress_bar=False) for call in calls]
        )


def as_documented(_folder: Path) -> Engine:
    return _SentenceTransformers(DOCUMENTED_BATCH)


def all_at_once(_folder: Path) -> Engine:
    return _SentenceTransformers(0)
