"""Names of files in the errors of the store that keeps them."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.domain.errors import StorageError


@contextmanager
def name_file(source: str) -> Iterator[None]:
    """Add the file's name to an error of its storage.

    Raises:
        StorageError: there is no room for the file, or the disk fails.
    """
    try:
        yield
    except StorageError as error:
        raise type(error)(f"The file {source!r} can't be kept. {error}") from error
