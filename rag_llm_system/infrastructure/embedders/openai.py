"""OpenAI's embeddings protocol: OpenAI, vLLM, text-embeddings-inference and LM Studio at their addresses."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from rag_llm_system.infrastructure.embedders.http_embedder import HttpEmbedder, Wire


def _body(model_id: str, texts: Sequence[str]) -> dict[str, Any]:
    return {"model": model_id, "input": list(texts), "encoding_format": "float"}


def _rows(answer: Any) -> list[list[float]]:
    """By ``index``: the protocol does not promise the order."""
    rows = sorted(answer["data"], key=lambda row: row["index"])
    if [row["index"] for row in rows] != list(range(len(rows))):
        raise ValueError("an index is missing or there twice")
    return [row["embedding"] for row in rows]


OpenAIEmbedder = partial(
    HttpEmbedder, Wire("embeddings", _body, _rows), base_url="https://api.openai.com/v1"
)
"""``base_url`` ends in ``/v1``."""
