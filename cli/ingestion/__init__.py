"""Ingestion of files into a library over REST: find, read, compare, send and prune."""
