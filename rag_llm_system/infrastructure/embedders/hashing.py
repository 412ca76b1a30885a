"""An encoder without a model: words hashed into buckets. Fast and deterministic, for tests and dry runs."""

import re
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from rag_llm_system.domain.chunks import TokenVectors, Vectors
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
        for row, numbers in zip(vectors, self._fitting(texts), strict=True):
            some = numbers if len(numbers) else _numbers([""])
            row += np.bincount(some % self.dimension, minlength=self.dimension)
            row /= np.linalg.norm(row)
        return vectors

    def tokens(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        return [_numbers(_TOKEN.findall(text)).view(np.int32) for text in texts]

    def embed_tokens(
        self,
        texts: Sequence[str],
        *,
        role: Role = "document",  # noqa: ARG002
    ) -> Sequence[TokenVectors]:
        """The same word has the same vector wherever it stands."""
        axes = np.eye(self.dimension, dtype=np.float32)
        return [
            TokenVectors(numbers.view(np.int32), axes[numbers % self.dimension])
            for numbers in self._fitting(texts)
        ]

    def embed_with_tokens(
        self, texts: Sequence[str], *, role: Role = "document"
    ) -> tuple[Vectors, Sequence[TokenVectors]]:
        return self.embed(texts, role=role), self.embed_tokens(texts, role=role)

    def _fitting(self, texts: Sequence[str]) -> Iterator[npt.NDArray[np.uint32]]:
        for text in texts:
            numbers = _numbers(_TOKEN.findall(text))
            if len(numbers) > self.max_tokens:
                raise DataError(
                    f"a text of {len(numbers)} tokens does not fit the encoder's {self.max_tokens}"
                )
            yield numbers


def _numbers(tokens: Sequence[str]) -> npt.NDArray[np.uint32]:
    # folded one by one: folding may make several characters of one, and these several tokens
    return np.array([zlib.crc32(token.casefold().encode()) for token in tokens], dtype=np.uint32)
