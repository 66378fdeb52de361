"""Processes that follow the log of another one, which writes."""
