"""The directory that backups of one database are in.

Each is two files: its own, and its manifest, which is written last; without it there is no
backup. `repository.json` says whose backups these are.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from core import crash_points
from core.adapters.private import DIRECTORY_MODE, FILE_MODE, restrict
from core.backup import files
from core.backup.manifest import Manifest
from core.domain.errors import StorageError

ABOUT = "repository.json"
MANIFEST = ".json"
CONTENT = ".db"


@dataclass(frozen=True, slots=True)
class Repository:
    """`id` is the directory's own; the database knows by it whom to keep history for."""

    directory: Path
    id: str
    database_id: str

    @classmethod
    def open(cls, directory: Path) -> "Repository":
        """Raises: StorageError: there are no backups in it, or it can't be read."""
        path = directory / ABOUT
        if not path.exists():
            raise StorageError(f"There are no backups in {directory}.")
        with files.file_errors(path):
            text = path.read_text()
        try:
            about = json.loads(text)
            return cls(directory, about["id"], about["database_id"])
        except (ValueError, TypeError, KeyError) as error:
            raise StorageError(f"{path} is damaged.") from error

    @classmethod
    def of(cls, directory: Path, database_id: str) -> "Repository":
        """The directory's, which is made one where it is empty; called under `locked`.

        Raises:
            StorageError: another database's backups, or other files, are in it.
        """
        if (directory / ABOUT).exists():
            found = cls.open(directory)
            if found.database_id != database_id:
                raise StorageError(
                    f"{directory} has the backups of another database; choose another directory."
                )
            return found
        if any(path.name != _LOCK and not _is_partial(path) for path in directory.iterdir()):
            raise StorageError(f"{directory} has other files in it; choose an empty directory.")
        made = cls(directory, uuid4().hex, database_id)
        about = {"format": 1, "id": made.id, "database_id": database_id}
        files.write_whole(directory / ABOUT, json.dumps(about, indent=2) + "\n")
        return made

    def manifests(self) -> list[Manifest]:
        """In order of their ends. Raises: StorageError: one of them is damaged."""
        with files.file_errors(self.directory):
            paths = sorted(self.directory.glob(f"*-*{MANIFEST}"))
            found = [
                Manifest.from_json(path.read_text("utf-8", "replace"), str(path)) for path in paths
            ]
        return sorted(found, key=lambda manifest: manifest.end)

    def path_of(self, manifest: Manifest) -> Path:
        """Raises: StorageError: its name leads elsewhere."""
        if Path(manifest.file).name != manifest.file:
            raise StorageError(f"A manifest in {self.directory} names the file {manifest.file!r}.")
        return self.directory / manifest.file

    def add(self, manifest: Manifest) -> None:
        """What was written to `files.partial_of` its path counts from here on."""
        path = self.path_of(manifest)
        crash_points.reach("backup.before_rename")
        files.publish(path)
        crash_points.reach("backup.before_manifest")
        files.write_whole(path.with_suffix(MANIFEST), manifest.to_json())
        crash_points.reach("backup.after_manifest")

    def clean(self) -> None:
        """Remove what interrupted backups left, and the rights of other users on the rest.

        Called under `locked`.
        """
        restrict(self.directory, DIRECTORY_MODE)
        for path in self.directory.iterdir():
            lone = path.suffix == CONTENT and not path.with_suffix(MANIFEST).exists()
            if lone or _is_partial(path):
                files.remove(path)
            else:
                restrict(path, FILE_MODE)


_LOCK = "lock"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Makes the directory where it is missing, and keeps other backups out of it.

    Raises:
        StorageError: another backup is being taken there, or it can't be written to.
    """
    with files.file_errors(directory):
        directory.mkdir(DIRECTORY_MODE, parents=True, exist_ok=True)
        handle = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise StorageError(f"Another backup is being taken in {directory}.") from error
    try:
        yield
    finally:
        os.close(handle)


def _is_partial(path: Path) -> bool:
    return path.name.endswith(files.PARTIAL) or files.PARTIAL + "-" in path.name
