"""Steps that answer one question."""
