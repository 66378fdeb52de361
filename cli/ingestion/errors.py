"""Errors of ingestion."""

GO_ON = "To continue, run the same command again: it skips the files already ingested."


class UnusableFile(Exception):
    """A file that can't be sent; the message completes "FILE: …"."""


class IngestionEnded(Exception):
    """An error that makes further ingestion pointless; the message has the cause and the remedy."""


class TemporalUnreachable(IngestionEnded):
    """An outage of Temporal, after which the same files can be sent."""
