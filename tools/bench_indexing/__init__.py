"""What a run of indexing costs when little or nothing changed, against a full one: ``poe bench-indexing``."""
