"""Parsers: from a format to a title and blocks."""
