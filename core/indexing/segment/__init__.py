"""The rows of one segment, sealed or the delta, and the search of rows that have no index."""
