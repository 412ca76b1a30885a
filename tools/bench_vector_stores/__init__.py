"""Vector stores beside one another, exact search and the documents' way: ``poe bench-vector-stores``."""
