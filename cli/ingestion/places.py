"""Paths of files: as a document's source and id, and the disk that holds the file."""

import os
from functools import cache
from pathlib import Path
from urllib.parse import unquote_to_bytes
from uuid import NAMESPACE_URL, uuid5

from nalanda import Document

_SCHEME = "file://"


def id_of(source: str) -> str:
    return str(uuid5(NAMESPACE_URL, source))


def path_of(document: Document) -> Path | None:
    """Return the real path of the file that `ingest` made the document from, or `None`."""
    source = document.source
    return None if source is None or document.id != id_of(source) else from_uri(source)


def from_uri(uri: str) -> Path | None:
    """Return the path of a URI by `Path.as_uri`, or `None` for another URI."""
    if not uri.startswith(f"{_SCHEME}/"):
        return None
    return Path(os.fsdecode(unquote_to_bytes(uri.removeprefix(_SCHEME))))


@cache
def mount_of(folder: Path) -> Path:
    """Return the mount point of the file system that holds an absolute path."""
    while not folder.is_mount() and folder != folder.parent:
        folder = folder.parent
    return folder


def display_path(path: Path) -> str:
    """Return the path for display, even if its bytes are not UTF-8."""
    return os.fsencode(path).decode(errors="replace")
