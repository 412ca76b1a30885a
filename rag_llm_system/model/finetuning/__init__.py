"""Makes or loads a base model and fine-tunes it on the rows of a training set."""
