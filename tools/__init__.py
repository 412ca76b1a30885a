"""The command line: each module is one command, started by a poe task."""
