"""Retrieved text is data: what in it addresses the model is left out before a model reads it."""

from rag_llm_system.application.rag.injection.defence import (
    LEFT_OUT,
    Defended,
    Removed,
    defended,
)

__all__ = ["LEFT_OUT", "Defended", "Removed", "defended"]
