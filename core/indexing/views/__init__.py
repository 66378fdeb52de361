"""What readers see of each library: immutable views, and how a write makes the next one."""
