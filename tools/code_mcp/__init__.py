"""The code assistant for coding tools: an MCP server on standard input and output, ``poe code-mcp``."""
