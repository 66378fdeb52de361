"""Errors of documents."""


class UnusableFile(Exception):
    """A file that can't become a document; the message is a sentence that says why."""
