"""Steps from a folder of source files to the index of code bases."""
