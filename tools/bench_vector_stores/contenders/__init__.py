"""Ways to store and search vectors, measured against one another: ``poe bench-vector-stores``."""

CONTENDERS = {
    "numpy": "tools.bench_vector_stores.contenders.exact:Exact",
    "qdrant-edge": "tools.bench_vector_stores.contenders.stores:qdrant_edge",
    "faiss": "tools.bench_vector_stores.contenders.stores:faiss",
    "chroma": "tools.bench_vector_stores.contenders.stores:chroma",
    "qdrant-server": "tools.bench_vector_stores.contenders.stores:qdrant_server",
    "faiss-post-filter-50": "tools.bench_vector_stores.contenders.post_filter:PostFilter",
}
"""What opens each in a folder, with the spec of the one collection in it."""

LIBRARIES = {
    "qdrant-edge": "qdrant_edge",
    "faiss": "faiss",
    "chroma": "chromadb",
    "faiss-post-filter-50": "faiss",
}
"""The library that a contender needs."""
