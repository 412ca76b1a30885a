"""Fits the model that tells a page's content from what surrounds it."""
