"""Measures a fine-tuned model on rows it was not trained on."""
