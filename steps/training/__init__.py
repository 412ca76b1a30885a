"""Steps from a train.jsonl to a registered model."""
