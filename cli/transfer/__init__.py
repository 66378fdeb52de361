"""A library as a file, with its vectors: out of a server and into one, over REST."""
