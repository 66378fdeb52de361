"""Model changes: their start on Temporal, and their state."""
