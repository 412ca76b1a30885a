"""Steps from the data warehouse to the vector store."""
