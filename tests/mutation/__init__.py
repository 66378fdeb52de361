"""Damaged files through the parsers: `python -m tests.mutation --files 2000`."""
