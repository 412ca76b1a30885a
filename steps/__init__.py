"""ZenML steps, one folder per pipeline: each is a few lines around one use case."""
