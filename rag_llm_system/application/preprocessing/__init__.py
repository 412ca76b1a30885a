"""From raw documents to vectors, driven by the table of document categories."""
