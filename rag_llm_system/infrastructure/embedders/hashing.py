"""An encoder without a model: words hashed into buckets. Fast and deterministic, for tests and dry runs."""

import re
import zlib
from collections.abc import Sequence

import numpy as np

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import Role

_TOKEN = re.compile(r"\w+|[^\w\s]")


class HashingEmbedder:
    """Tokens are words and single punctuation marks; texts that share words are similar."""

    def __init__(
        self,
        model_id: str = "hashing",
        dimension: int = 64,
        max_tokens: int = 32,
    ) -> None:
        self.model_id = model_id
        self.revision = "1"
        self.dimension = dimension
        self.max_tokens = max_tokens

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in _TOKEN.finditer(text)]

    def embed(self, texts: Sequence[str], *, role: Role = "document") -> Vectors:  # noqa: ARG002 - for it all texts are alike
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            # folded one by one: folding may make several characters of one, and these several tokens
            tokens = [token.casefold() for token in _TOKEN.findall(text)]
            if len(tokens) > self.max_tokens:
                raise DataError(
                    f"a text of {len(tokens)} tokens does not fit the encoder's {self.max_tokens}"
                )
            for token in tokens or [""]:
                row[zlib.crc32(token.encode()) % self.dimension] += 1
            row /= np.linalg.norm(row)
        return vectors
