"""The service of search: its request, ranking and result."""
