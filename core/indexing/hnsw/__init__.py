"""The graph: how it is built and walked."""
