"""Maps of embeddings: all vectors of a library in two dimensions, and a report of their health."""
