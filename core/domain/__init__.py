"""Libraries, documents, chunks, filters and errors, without any framework."""
