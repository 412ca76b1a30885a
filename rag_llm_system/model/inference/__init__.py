"""Text generation: the engine that runs a model, and the client of a server that runs one."""
