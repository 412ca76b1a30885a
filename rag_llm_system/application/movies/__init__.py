"""The movie assistant: films from records to recommendations, and what users like."""
