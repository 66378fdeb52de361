"""Chunks and strings as arrays, without an object for each."""
