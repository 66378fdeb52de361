"""The parser of HTML."""
