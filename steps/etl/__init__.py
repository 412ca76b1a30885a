"""Steps that fill the data warehouse."""
