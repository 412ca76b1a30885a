"""The code assistant: reads a code base, indexes it, answers questions about it."""
