"""The index in memory: views of each library, segments, vector indexes, filters, lexical search."""
