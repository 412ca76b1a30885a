"""Encoders that turn text into vectors."""

EMBEDDERS = {
    "sentence-transformers": "rag_llm_system.infrastructure.embedders.sentence_transformer:SentenceTransformerEmbedder",
    "hashing": "rag_llm_system.infrastructure.embedders.hashing:HashingEmbedder",
}
