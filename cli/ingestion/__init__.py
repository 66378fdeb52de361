"""Files of a disk into a library, over REST: found, read, compared, sent, and pruned."""
