"""Steps that measure a trained model: the rows, the answers and their scores, the report."""
