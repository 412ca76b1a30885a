"""Models that read a question and a text together, and say how well the text answers it."""

RERANKERS = {
    "cross-encoder": "rag_llm_system.infrastructure.rerankers.cross_encoder:CrossEncoderReranker",
    "overlap": "rag_llm_system.infrastructure.rerankers.overlap:OverlapReranker",
}
