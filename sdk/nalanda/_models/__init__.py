"""Models of responses, by subject."""
