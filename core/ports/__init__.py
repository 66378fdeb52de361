"""The protocols that a storage engine implements."""
