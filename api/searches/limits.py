"""Limits of what a search may do on the event loop."""

MAX_EVENT_LOOP_US = 500
"""Longest estimated search that runs on the event loop. A switch to a thread and back takes up to
as long, and several times as long under load."""
MAX_EVENT_LOOP_BYTES = 256 * 1024
MAX_EVENT_LOOP_HITS = 50
