"""Export and import of a library, with its vectors, as a file over REST."""
