"""Is the movie assistant any good: requests for films with the facts that they imply, asked in several ways."""
