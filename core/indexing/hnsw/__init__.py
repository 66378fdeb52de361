"""The HNSW graph: its build and its search."""
