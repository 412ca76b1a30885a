"""How it is done: one module per vendor library, each implementing one port."""
