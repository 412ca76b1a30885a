"""Measures the code assistant: what it finds, how fast it indexes, ``poe bench-code``."""
