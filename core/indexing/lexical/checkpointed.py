"""An index of words as checkpoints keep it: tantivy's files, and what they hold.

Its files are links to those that the index works with, which never change: in the folder of the
checkpoints under names of their own, in a folder to work with under tantivy's.
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
from core.indexing.container.container import DamagedFile, damage_or
from core.indexing.container.durable import sync
from core.indexing.lexical.tantivy_files import Committed, commit

WORKING: Final = "words"
"""Below the data directory: the folders that indexes work with. A start empties it."""
SUFFIX: Final = ".words"
_READ_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class KeptFile:
    """`name`: within the checkpoints' directory. `checksum`: the CRC-32 of its `size_bytes`."""

    name: str
    checksum: int
    size_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class KeptWords:
    """`made_for`: what it is good for. `meta`: tantivy's list of segments. `files`: by the names
    that tantivy has for them. `row_ids`: `(n,) int64`, ascending: the texts that it has."""

    made_for: tuple[str, ...]
    meta: str
    files: Mapping[str, KeptFile]
    row_ids: NDArray[np.int64]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files.values())


@dataclass(frozen=True, slots=True)
class WordFiles:
    """`working`: where each index has a folder; `checkpoints`: their directory. One disk."""

    working: Path
    checkpoints: Path

    def folder(self) -> Path:
        """An empty one. Raises: OSError: no room, or no permission."""
        return Path(mkdtemp(dir=self.working))

    def folder_of(self, kept: KeptWords) -> Path:
        """One with its files. Raises: OSError: no room, no permission, or a file is gone."""
        folder = self.folder()
        for name, file in kept.files.items():
            os.link(self.checkpoints / file.name, folder / name)
        commit(folder, kept.meta)
        return folder

    def has(self, kept: KeptWords) -> bool:
        return all((self.checkpoints / file.name).exists() for file in kept.files.values())

    def linked(self, committed: Committed, known: Mapping[str, KeptFile]) -> dict[str, KeptFile]:
        """Its files, those in the checkpoints' directory that are not `known` to be there.

        Durably: tantivy has synced the files.

        Raises:
            OSError: no room, no permission, or a file system without links.
        """
        files = {path.name: known.get(path.name) or self._linked(path) for path in committed.files}
        crash_points.reach("words.linked")
        sync(self.checkpoints)
        return files

    def _linked(self, path: Path) -> KeptFile:
        link = self.checkpoints / f"{new_id()}{SUFFIX}"
        os.link(path, link)
        checksum, size_bytes = _checksum(link)
        return KeptFile(link.name, checksum, size_bytes)


def verify(directory: Path, kept: KeptWords, pool: Executor) -> None:
    """Reads its files. Not for a thread of that pool to call.

    Raises:
        DamagedFile: one is not as it was written, missing, or can't be read.
        OSError: one can't be opened.
    """

    def check(file: KeptFile) -> None:
        path = directory / file.name
        try:
            found = _checksum(path)
        except OSError as error:
            raise damage_or(error, path) from error
        if found != (file.checksum, file.size_bytes):
            raise DamagedFile(path, "It is not as it was written.")

    for _ in pool.map(check, kept.files.values()):
        pass


def _checksum(path: Path) -> tuple[int, int]:
    """And the size. Read, not mapped: a bad sector is an error then, and no signal."""
    checksum = size = 0
    with path.open("rb") as file:
        while part := file.read(_READ_BYTES):
            checksum, size = crc32(part, checksum), size + len(part)
    return checksum, size
