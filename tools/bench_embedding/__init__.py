"""How fast the encoder is beside other ways to run its weights, and what that costs: ``poe bench-embedding``."""
