"""Ways to encode texts with the same weights, measured against one another. One module per library."""
