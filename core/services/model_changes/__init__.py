"""Changes of a library's embedding model."""
