"""The small model made on the spot: its initialisation and the rows of its first training."""
