"""A backup repository: the directory with the backups of one database.

A backup is two files: its own, and its manifest, which is written last. A file without a
manifest is no backup. `repository.json` names the database.
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
    """A backup repository; the database keeps history for each repository `id`."""

    directory: Path
    id: str
    database_id: str

    @classmethod
    def open(cls, directory: Path) -> "Repository":
        """Open a repository.

        Raises:
            StorageError: the directory has no backups, or can't be read.
        """
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
        """Open the directory's repository, or create one in an empty directory, under `lock`.

        Raises:
            StorageError: the directory has another database's backups, or other files.
        """
        if (directory / ABOUT).exists():
            repository = cls.open(directory)
            if repository.database_id != database_id:
                raise StorageError(
                    f"{directory} has the backups of another database; choose another directory."
                )
            return repository
        if any(path.name != _LOCK and not _is_partial(path) for path in directory.iterdir()):
            raise StorageError(f"{directory} has other files in it; choose an empty directory.")
        repository = cls(directory, uuid4().hex, database_id)
        about = {"format": 1, "id": repository.id, "database_id": database_id}
        files.write_whole(directory / ABOUT, json.dumps(about, indent=2) + "\n")
        return repository

    def manifests(self) -> list[Manifest]:
        """Return the manifests in order of `end`.

        Raises:
            StorageError: a manifest is damaged.
        """
        with files.file_errors(self.directory):
            paths = sorted(self.directory.glob(f"*-*{MANIFEST}"))
            manifests = [
                Manifest.from_json(path.read_text("utf-8", "replace"), str(path)) for path in paths
            ]
        return sorted(manifests, key=lambda manifest: manifest.end)

    def path_of(self, manifest: Manifest) -> Path:
        """Return the path of a backup's file.

        Raises:
            StorageError: the file's name leads out of the directory.
        """
        if Path(manifest.file).name != manifest.file:
            raise StorageError(f"A manifest in {self.directory} names the file {manifest.file!r}.")
        return self.directory / manifest.file

    def add(self, manifest: Manifest) -> None:
        """Publish a backup whose file was written to `files.partial_of` its path."""
        path = self.path_of(manifest)
        crash_points.reach("backup.before_rename")
        files.publish(path)
        crash_points.reach("backup.before_manifest")
        files.write_whole(path.with_suffix(MANIFEST), manifest.to_json())
        crash_points.reach("backup.after_manifest")

    def clean(self) -> None:
        """Delete the files of interrupted backups, and take other users' rights from the rest.

        The caller holds `lock`.
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
def lock(directory: Path) -> Iterator[None]:
    """Lock a directory against other backups; create the directory where it is missing.

    Raises:
        StorageError: another backup runs there, or the directory can't be written to.
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
