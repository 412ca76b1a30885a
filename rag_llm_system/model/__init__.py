"""What needs torch: fine-tuning, evaluation of models, text generation."""
