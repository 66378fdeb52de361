"""The parser of Markdown."""
