"""Commands that steer questions."""
