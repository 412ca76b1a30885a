"""Measures retrieval on a benchmark in BEIR's layout: ``poe evaluate-retrieval -- --dataset DIR --output FILE``."""
