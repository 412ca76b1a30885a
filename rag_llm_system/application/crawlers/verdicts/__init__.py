"""Tells pages that hold an article from challenges, walls, error pages, script shells and empty pages."""

from rag_llm_system.application.crawlers.verdicts.judge import fault_of

__all__ = ["fault_of"]
