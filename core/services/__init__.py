"""The operations on libraries, documents and chunks, and searches."""
