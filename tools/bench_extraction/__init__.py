"""Compares article extractors on labelled pages: ``poe bench-extraction -- --data DIR``."""
