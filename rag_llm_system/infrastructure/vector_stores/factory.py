"""Makes a vector store from its name."""

import inspect
from typing import Any

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.infrastructure.loading import load
from rag_llm_system.infrastructure.vector_stores import VECTOR_STORES


class VectorStoreFactory:
    """``VectorStoreFactory.create("qdrant", path=data_dir / "qdrant")``."""

    @staticmethod
    def create(backend: str, **kwargs: Any) -> VectorStore:
        """The store of that name: a key of ``VECTOR_STORES``, ``qdrant``, or a ``package.module:Class`` path.

        ``qdrant`` is the server when ``host`` or ``url`` is given, else Qdrant Edge in the folder ``path``.
        """
        if backend == "qdrant":
            backend = "qdrant-server" if kwargs.keys() & {"host", "url"} else "qdrant-edge"
        store = load("vector store", backend, VECTOR_STORES)
        signature = inspect.signature(store)
        try:
            signature.bind(**kwargs)
        except TypeError as error:
            takes = ", ".join(signature.parameters) or "no arguments"
            raise ConfigurationError(
                f"vector store {backend!r}: {error}; it takes: {takes}"
            ) from error
        made: VectorStore = store(**kwargs)
        return made
