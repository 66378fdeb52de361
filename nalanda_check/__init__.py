"""A checker of histories: which operations clients did, and whether a sound database allows them.

It depends on nothing but Python; docs/reference/histories.md has the format.
"""
