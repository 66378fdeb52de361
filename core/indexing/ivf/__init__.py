"""Inverted lists: cells by k-means, 4-bit codes, and how many cells a search probes."""
