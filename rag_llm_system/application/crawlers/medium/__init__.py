"""Crawls Medium: stories, and through their feeds profiles, publications and tags."""

from rag_llm_system.application.crawlers.medium.crawler import MediumCrawler
from rag_llm_system.application.crawlers.medium.story import looks_like_medium, parse_medium

__all__ = ["MediumCrawler", "looks_like_medium", "parse_medium"]
