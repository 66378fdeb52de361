"""What can be wrong with a file."""

GO_ON = "To go on, run the same command again: it leaves alone what is in already."


class UnusableFile(Exception):
    """The file's text can't be had; the message says why, and completes "FILE: …"."""


class IngestionEnded(Exception):
    """There is no point in going on; the message says why, and what to do."""
