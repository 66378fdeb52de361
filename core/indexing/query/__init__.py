"""Searches that combine rankings, groups by document, and listings."""
