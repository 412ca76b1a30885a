"""Crawls Substack: posts, notes, and through archives and feeds whole publications."""

from rag_llm_system.application.crawlers.substack.crawler import SubstackCrawler
from rag_llm_system.application.crawlers.substack.post import looks_like_substack, parse_substack

__all__ = ["SubstackCrawler", "looks_like_substack", "parse_substack"]
