"""A lexical index in a checkpoint: hard links to tantivy's files, which never change.

A working folder has the files under tantivy's names. The checkpoints' folder has links to them
under unique names.
"""

import os
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from core import crash_points
from core.domain.ids import new_id
from core.indexing.container.container import DamagedFile, container_error
from core.indexing.container.durable import sync
from core.indexing.lexical.tantivy_files import TantivyCommit, commit

WORKING: Final = "words"
"""The folder of the indexes' working folders, below the data directory; a start empties it."""
SUFFIX: Final = ".words"
_READ_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the checkpoints' directory; `checksum`: the CRC-32 of its `size_bytes` bytes."""

    name: str
    checksum: int
    size_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class StoredLexicalIndex:
    """A lexical index in a checkpoint.

    `fingerprint`: what the index depends on. `meta`: tantivy's list of segments. `files`: by
    the names that tantivy has for them. `row_ids`: `(n,) int64`,
    ascending, of the texts in the index.
    """

    fingerprint: tuple[str, ...]
    meta: str
    files: Mapping[str, StoredFile]
    row_ids: NDArray[np.int64]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files.values())


@dataclass(frozen=True, slots=True)
class LexicalFiles:
    """The folders of lexical indexes, on one file system.

    `working`: where each index has a folder. `checkpoints`: the checkpoints' folder.
    """

    working: Path
    checkpoints: Path

    def folder(self) -> Path:
        """Create an empty working folder.

        Raises:
            OSError: no room, or no permission.
        """
        return Path(mkdtemp(dir=self.working))

    def folder_of(self, stored: StoredLexicalIndex) -> Path:
        """Create a working folder with the files of a checkpoint's index.

        Raises:
            OSError: no room, no permission, or a file is missing.
        """
        folder = self.folder()
        for name, file in stored.files.items():
            os.link(self.checkpoints / file.name, folder / name)
        commit(folder, stored.meta)
        return folder

    def has(self, stored: StoredLexicalIndex) -> bool:
        return all((self.checkpoints / file.name).exists() for file in stored.files.values())

    def link(
        self, committed: TantivyCommit, known: Mapping[str, StoredFile]
    ) -> dict[str, StoredFile]:
        """Link the files that are not `known` into the checkpoints' directory, durably.

        Tantivy has already synced the files' content.

        Raises:
            OSError: no room, no permission, or a file system without hard links.
        """
        files = {path.name: known.get(path.name) or self._link(path) for path in committed.files}
        crash_points.reach("words.linked")
        sync(self.checkpoints)
        return files

    def _link(self, path: Path) -> StoredFile:
        link = self.checkpoints / f"{new_id()}{SUFFIX}"
        os.link(path, link)
        checksum, size_bytes = _checksum(link)
        return StoredFile(link.name, checksum, size_bytes)


def verify(directory: Path, stored: StoredLexicalIndex, pool: Executor) -> None:
    """Read the files and check their checksums; a thread of `pool` must not call it.

    Raises:
        DamagedFile: a file differs from what was written, is missing, or cannot be read.
        OSError: a file cannot be opened.
    """

    def check(file: StoredFile) -> None:
        path = directory / file.name
        try:
            actual = _checksum(path)
        except OSError as error:
            raise container_error(error, path) from error
        if actual != (file.checksum, file.size_bytes):
            raise DamagedFile(path, "It differs from what was written.")

    for _ in pool.map(check, stored.files.values()):
        pass


def _checksum(path: Path) -> tuple[int, int]:
    """Return the file's CRC-32 and size.

    The file is read instead of mapped, so that a bad sector is an error and not a signal.
    """
    checksum = size = 0
    with path.open("rb") as file:
        while part := file.read(_READ_BYTES):
            checksum, size = crc32(part, checksum), size + len(part)
    return checksum, size
