"""Verification of a backup directory: checksums, files, and gaps between backups."""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import apsw

from core.adapters.sqlite import checks
from core.adapters.sqlite.connections.errors import sqlite_errors
from core.backup.chain import reachable_ranges
from core.backup.manifest import Manifest
from core.backup.repository import Repository
from core.backup.restore import check
from core.domain.errors import NalandaError


def problems(directory: Path, *, on_check: Callable[[str], None] = lambda _: None) -> Iterator[str]:
    """Yield one line for each problem; call `on_check` with each file's name before its checks."""
    try:
        repository = Repository.open(directory)
        manifests = repository.manifests()
    except NalandaError as error:
        yield str(error)
        return
    for manifest in manifests:
        on_check(manifest.file)
        try:
            check(repository, manifest)
            yield from _file_problems(repository.path_of(manifest), manifest)
        except NalandaError as error:
            yield str(error)
    yield from _gaps(manifests)


def _file_problems(path: Path, manifest: Manifest) -> Iterator[str]:
    with (
        sqlite_errors(),
        closing(apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)) as connection,
    ):
        if manifest.full:
            yield from (f"{path.name}: {line}" for line in checks.problems(connection))
            return
        for line, *_ in connection.execute("PRAGMA integrity_check"):
            if line != "ok":
                yield f"{path.name}: SQLite: {line}"
        ((entries,),) = connection.execute("SELECT count(*) FROM log").fetchall()
        if entries != manifest.end - manifest.start:
            yield f"{path.name}: its log has {entries} entries"


def _gaps(manifests: list[Manifest]) -> Iterator[str]:
    ranges = reachable_ranges(manifests)
    for (_, before), (after, _) in pairwise(ranges):
        yield f"no backup leads from position {before} to {after}"
    for manifest in manifests:
        if not any(first <= manifest.end <= last for first, last in ranges):
            yield f"{manifest.file}: no backup leads to its start, position {manifest.start}"
