"""Checks of the ZIP archives that Office documents are."""

import io
import zipfile

from core.documents.errors import UnusableFile

_MOST_BYTES = 512 * 2**20
_MOST_ENTRIES = 20_000


def open_archive(content: bytes, kind: str) -> io.BytesIO:
    """Return the archive's bytes as a file, once its sizes are within the bounds.

    Raises:
        UnusableFile: the content is no archive, encrypted, or expands to too much.
    """
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnusableFile(f"The {kind} file is encrypted, or in the format of before 2007.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError):
        raise UnusableFile(f"The file is not a {kind} file, or is cut off.") from None
    if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > _MOST_BYTES:
        raise UnusableFile(f"The {kind} file expands to more than {_MOST_BYTES >> 20} MiB.")
    return io.BytesIO(content)
