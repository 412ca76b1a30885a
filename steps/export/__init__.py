"""Steps that write artifacts to files."""
