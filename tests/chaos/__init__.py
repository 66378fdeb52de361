"""Chaos: ingestions while the worker, the API and the Temporal server are killed."""
