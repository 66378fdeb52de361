"""The nodes that serve one database: which they are, and which one of them leads."""
