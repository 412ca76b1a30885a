"""Ollama's own embeddings protocol, which can be told not to cut long texts."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from rag_llm_system.infrastructure.embedders.http_embedder import HttpEmbedder, Wire


def _body(model_id: str, texts: Sequence[str]) -> dict[str, Any]:
    return {"model": model_id, "input": list(texts), "truncate": False}


def _rows(answer: Any) -> list[list[float]]:
    rows: list[list[float]] = answer["embeddings"]
    return rows


OllamaEmbedder = partial(
    HttpEmbedder, Wire("api/embed", _body, _rows), base_url="http://127.0.0.1:11434"
)
