"""The local inference server and the rules for what goes in and out of it."""
