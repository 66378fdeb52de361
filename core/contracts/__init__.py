"""The messages and names that the API, the worker and the workflow share."""
