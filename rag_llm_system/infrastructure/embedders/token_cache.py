"""Token vectors kept on disk, made by the pass that embeds a document anyway."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rag_llm_system.domain.chunks import TokenVectors, Vectors
from rag_llm_system.domain.ports import Embedder, Role, TokenEmbedder
from rag_llm_system.infrastructure.embedders.token_codes import FORM, decoded, encoded
from rag_llm_system.infrastructure.embedders.vector_file import VectorFile, encoder_key

# Their exact token vectors, 100 MB in MiniLM, are in memory together.
_TEXTS_AT_ONCE = 256


class _Encoder(Embedder, TokenEmbedder, Protocol):
    """Both at once."""


class CachedTokenEmbedder:
    """An encoder that keeps the token vectors of documents in a SQLite file (see :class:`VectorFile`).

    ``embed`` fills it on the way, ``embed_tokens`` reads it and computes only what is missing; both give what the
    four bits of a number on disk give (see ``token_codes``), whether it was there or not. What is asked as a query is
    passed on and never kept: questions are nobody's to keep.
    """

    def __init__(self, embedder: _Encoder, path: Path, *, limit_mb: int = 1024) -> None:
        self._embedder = embedder
        self._file = VectorFile(
            path, limit_mb=limit_mb, name="cache of token vectors", setting="TOKEN_VECTORS_MB"
        )

    @property
    def model_id(self) -> str:
        return self._embedder.model_id

    @property
    def revision(self) -> str:
        return self._embedder.revision

    @property
    def engine(self) -> str:
        return str(getattr(self._embedder, "engine", ""))

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    @property
    def max_tokens(self) -> int:
        return self._embedder.max_tokens

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return self._embedder.token_spans(text)

    def tokens(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        return self._embedder.tokens(texts)

    def embed(self, texts: Sequence[str], *, role: Role = "document") -> Vectors:
        if role == "query" or not texts:
            return self._embedder.embed(texts, role=role)
        return np.concatenate([vectors for vectors, _ in map(self._kept, _in_parts(texts))])

    def embed_tokens(
        self, texts: Sequence[str], *, role: Role = "document"
    ) -> Sequence[TokenVectors]:
        if role == "query":
            return self._embedder.embed_tokens(texts, role=role)
        found = dict(self._file.found(self._key(), texts))
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        for some in _in_parts(missing):
            _, made = self._kept(some)
            found.update(zip(some, made, strict=True))
        return decoded([found[text] for text in texts])

    def embed_with_tokens(
        self, texts: Sequence[str], *, role: Role = "document"
    ) -> tuple[Vectors, Sequence[TokenVectors]]:
        if role == "query":
            return self._embedder.embed_with_tokens(texts, role=role)
        vectors, made = self._kept(texts)
        return vectors, decoded(made)

    def forget(self, texts: Iterable[str]) -> int:
        """Remove the token vectors of these texts from the disk as well; how many texts had some."""
        return self._file.forget(texts)

    def close(self) -> None:
        """The cache alone; whoever made the encoder closes it."""
        self._file.close()

    def _kept(self, texts: Sequence[str]) -> tuple[Vectors, list[bytes]]:
        vectors, tokens = self._embedder.embed_with_tokens(texts)
        made = [encoded(of_text) for of_text in tokens]
        self._file.put(self._key(), dict(zip(texts, made, strict=True)))
        return vectors, made

    def _key(self) -> bytes:
        return encoder_key(self._embedder, "document", FORM)


def _in_parts(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[i : i + _TEXTS_AT_ONCE] for i in range(0, len(texts), _TEXTS_AT_ONCE)]
