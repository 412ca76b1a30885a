"""The code assistant on the command line: ``poe code-index``, ``poe code-ask`` and their neighbours."""
