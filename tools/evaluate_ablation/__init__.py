"""Measures what each stage of retrieval gives and costs: ``poe evaluate-ablation -- --dataset DIR``."""
