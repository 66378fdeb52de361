"""One log file for the output of all children; each line has its time and its process."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from core.domain.errors import StorageError

MAX_BYTES = 10_000_000
MAX_LINE_BYTES = 64 * 1024


class LogFile:
    """A log of lines like `2026-01-31 12:00:00,123 worker   | ready`; it keeps one older file."""

    def __init__(self, path: Path) -> None:
        """Open the file for appending.

        Raises:
            StorageError: the file can't be written.
        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handler = RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=1)
        except OSError as error:
            raise StorageError(f"The log {path} can't be written: {error.strerror}") from error
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(name)-8s | %(message)s"))

    def write(self, name: str, line: str) -> None:
        self._handler.handle(logging.LogRecord(name, logging.INFO, "", 0, line, None, None))

    def close(self) -> None:
        self._handler.close()


def split_lines(pending: bytes, received: bytes) -> tuple[list[str], bytes]:
    """Return the complete lines of `pending + received`, and the rest.

    A line without an end is cut at `MAX_LINE_BYTES`, so that no child can fill the memory.
    """
    *lines, rest = (pending + received).split(b"\n")
    while len(rest) > MAX_LINE_BYTES:
        lines.append(rest[:MAX_LINE_BYTES])
        rest = rest[MAX_LINE_BYTES:]
    return [line.decode(errors="replace").rstrip("\r") for line in lines], rest
