"""Ingestions from the upload to the search: the API, a real Temporal server, and a worker."""
