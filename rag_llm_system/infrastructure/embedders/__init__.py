"""Encoders that turn text into vectors."""

EMBEDDERS = {
    "sentence-transformers": "rag_llm_system.infrastructure.embedders.sentence_transformer:SentenceTransformerEmbedder",
    "openai": "rag_llm_system.infrastructure.embedders.openai:OpenAIEmbedder",
    "ollama": "rag_llm_system.infrastructure.embedders.ollama:OllamaEmbedder",
    "hashing": "rag_llm_system.infrastructure.embedders.hashing:HashingEmbedder",
}
