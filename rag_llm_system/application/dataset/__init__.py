"""Training sets: rows made from cleaned documents, split by document, kept as JSON lines."""
