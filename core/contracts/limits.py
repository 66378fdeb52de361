"""The limits of an ingestion, for the server and its clients."""

MAX_FILES = 1000
"""Maximum number of files in one ingestion."""

MAX_SOURCE_BYTES = 1024
"""Limit of a source, which is in the workflow's history."""
