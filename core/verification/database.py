"""A data directory, read through: the record, the index made from it, and what else is checked."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import apsw

from core.adapters.sqlite import checks
from core.adapters.sqlite.database import open_reader
from core.adapters.sqlite.errors import sqlite_errors
from core.adapters.sqlite.store import DATABASE_NAME
from core.adapters.sqlite.transactions import SqliteSnapshot
from core.domain.errors import NalandaError
from core.indexing.catalog import Catalog, CatalogState
from core.indexing.checkpoints.found import DIRECTORY
from core.indexing.checkpoints.loading import Loading
from core.indexing.record import from_record
from core.verification import index


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked, in one read transaction; a server may have the directory meanwhile."""

    data_dir: Path
    connection: apsw.Connection
    snapshot: SqliteSnapshot
    full: bool


Check: TypeAlias = Callable[[Subject], Iterator[str]]
"""One line for each thing that is wrong."""


def _record(subject: Subject) -> Iterator[str]:
    yield from checks.problems(subject.connection)


def _index(subject: Subject) -> Iterator[str]:
    """As the next start would load it: from the newest checkpoint, if there is one."""
    directory = subject.data_dir / DIRECTORY
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = Loading(directory, subject.snapshot, pool, look=True).load()
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield index.unreadable(error)
        return
    for file in found.set_aside:
        if (directory / file.name).exists():  # a server may have removed it since
            yield f"checkpoint: {file.name}: {file.problem}"
    views = [*found.views, *(from_record(subject.snapshot, library) for library in found.missing)]
    catalog = Catalog(CatalogState.of(subject.snapshot.position, views))
    yield from index.problems(subject.snapshot, catalog, full=subject.full)


CHECKS: Sequence[tuple[str, Check]] = (("record", _record), ("index", _index))
"""In this order; each is named while it runs."""


def problems(
    data_dir: Path, *, full: bool = False, begun: Callable[[str], None] = lambda _: None
) -> Iterator[str]:
    """One line each, as soon as it is found; `begun` is told the name of each check."""
    path = data_dir / DATABASE_NAME
    if not path.exists():
        yield f"{path} is missing"
        return
    try:
        with sqlite_errors(), closing(open_reader(path)) as connection:
            connection.execute("BEGIN")
            snapshot = SqliteSnapshot(connection, lambda: datetime.now(UTC))
            subject = Subject(data_dir, connection, snapshot, full)
            for name, check in CHECKS:
                begun(name)
                yield from _guarded(check, subject)
    except NalandaError as error:
        yield f"{path}: {error}"


def _guarded(check: Check, subject: Subject) -> Iterator[str]:
    """What stops one check is a finding, and does not stop the next."""
    try:
        with sqlite_errors():
            yield from check(subject)
    except NalandaError as error:
        yield str(error)
