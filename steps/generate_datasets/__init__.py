"""Steps from cleaned documents to a training set."""
