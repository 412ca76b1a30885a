"""Takes the content out of web pages: blocks, their traits, a model that chooses, Markdown."""

from rag_llm_system.application.crawlers.extraction.article import extract_article
from rag_llm_system.application.crawlers.extraction.markdown import without_opening

__all__ = ["extract_article", "without_opening"]
