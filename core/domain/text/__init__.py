"""Sentences of a text, and spans of a Markdown text that an answer may quote."""
