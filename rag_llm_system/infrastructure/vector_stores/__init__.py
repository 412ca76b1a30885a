"""Vector stores: the table of backends. Listing one imports nothing."""

VECTOR_STORES = {
    "chroma": "rag_llm_system.infrastructure.vector_stores.chroma_adapter:ChromaAdapter",
    "faiss": "rag_llm_system.infrastructure.vector_stores.faiss_adapter:FAISSAdapter",
    "memory": "rag_llm_system.infrastructure.vector_stores.memory:MemoryVectorStore",
    "qdrant-edge": "rag_llm_system.infrastructure.vector_stores.qdrant_edge_adapter:QdrantEdgeAdapter",
    "qdrant-server": "rag_llm_system.infrastructure.vector_stores.qdrant_adapter:QdrantAdapter",
}
