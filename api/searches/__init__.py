"""Searches: how they run on the event loop, and the fast path for ordinary ones."""
