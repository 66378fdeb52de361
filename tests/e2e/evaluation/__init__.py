"""The project's own evaluation: its documentation, and texts in six languages."""
