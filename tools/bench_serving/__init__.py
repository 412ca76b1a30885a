"""Both servers under load, beside a naive one: ``poe bench-serving``."""
