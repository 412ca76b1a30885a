"""The RAG API: answers with their sources over HTTP, and the chat page. No model weights of its own."""

from rag_llm_system.infrastructure.inference_pipeline_api.app import create_app

__all__ = ["create_app"]
