"""PDF documents: made by several generators, read, and looked at."""
