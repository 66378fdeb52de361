"""Permissions: files and directories that only their owner may read, as PostgreSQL has them.

Commands set their umask, which covers the files that libraries create. The modes here hold in a
process with another umask, and for what an earlier version created.
"""

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_log = logging.getLogger(__name__)

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700

_FOLDERS = frozenset(
    {"checkpoints", "damaged", "fetched", "logs", "metrics", "uploads", "vectors", "words"}
)
_PREFIXES = ("nalanda.db", "questions.db", "temporal.db", "nalanda.log")
_SMALL = frozenset({"lock", "api.lock", "temporal.lock", "node", "position"})


def create(path: Path) -> None:
    """Create an empty file where there is none. Raises: OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))


def make_private(directory: Path) -> None:
    """Take the rights of others from a data directory and all that Nalanda has in it.

    A directory in which another program has files as well, such as a home directory, keeps its
    mode. A file that this process may not change is named in the log, and stays as it is.
    """
    try:
        entries = list(os.scandir(directory))
    except OSError as error:
        _log.warning("%s can't be read: %s", directory, error.strerror)
        return
    if all(_is_ours(entry) for entry in entries):
        restrict(directory, DIRECTORY_MODE)
    for entry in entries:
        if _is_ours(entry):
            _restrict_all(Path(entry.path))


def _is_ours(entry: os.DirEntry[str]) -> bool:
    if entry.is_dir(follow_symlinks=False):
        return entry.name in _FOLDERS
    return entry.name in _SMALL or entry.name.startswith(_PREFIXES)


def _restrict_all(path: Path) -> None:
    for each in (path, *_below(path)):
        restrict(each, DIRECTORY_MODE if each.is_dir() else FILE_MODE)


def _below(path: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(path):
        yield from (Path(folder, name) for name in (*folders, *files))


def restrict(path: Path, mode: int) -> None:
    """Take the rights that `mode` lacks from a file or directory; a link is left alone."""
    try:
        state = path.lstat()
        if not stat.S_ISLNK(state.st_mode) and stat.S_IMODE(state.st_mode) & ~mode:
            path.chmod(mode)
    except FileNotFoundError:
        pass  # a file that SQLite or a checkpoint has removed meanwhile
    except OSError as error:
        _log.warning(
            "%s can be read by other users, and its mode can't be changed (%s). Give it the mode "
            "%o.",
            path,
            error.strerror,
            mode,
        )
