"""PDF: words by their places become lines, tables and paragraphs in reading order."""
