"""A trained model for other programs: merged weights, GGUF, and what Ollama needs beside it."""
