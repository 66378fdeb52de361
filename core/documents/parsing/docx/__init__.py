"""The parser of Word documents."""
