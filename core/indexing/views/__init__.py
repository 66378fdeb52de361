"""The immutable views that readers search, and the change from one view to the next."""
