"""Where a file is: its path as a document's source and id, and the disk that it is on."""

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
    """Return the real path of the file that a document was made of by `ingest`, if it was."""
    source = document.source
    return None if source is None or document.id != id_of(source) else from_uri(source)


def from_uri(uri: str) -> Path | None:
    """Return the path that `Path.as_uri` made it of, if it did."""
    if not uri.startswith(f"{_SCHEME}/"):
        return None
    return Path(os.fsdecode(unquote_to_bytes(uri.removeprefix(_SCHEME))))


@cache
def mount_of(folder: Path) -> Path:
    """Return the mount point of the file system that an absolute path is on."""
    while not folder.is_mount() and folder != folder.parent:
        folder = folder.parent
    return folder


def shown(path: Path) -> str:
    """Return the path for eyes, also where its bytes are not UTF-8."""
    return os.fsencode(path).decode(errors="replace")
