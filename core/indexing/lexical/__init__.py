"""Lexical search: BM25 over the texts of a library's chunks."""
