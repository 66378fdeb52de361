"""A database and its data directory, read through: the record, and the index made from it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from core.adapters.clock import utc_now
from core.adapters.postgres.database import Database
from core.adapters.postgres.offline_connection import reading
from core.adapters.postgres.rows import fetch
from core.adapters.postgres.transactions import PostgresSnapshot
from core.adapters.sqlite import checks
from core.adapters.sqlite.database import open_reader
from core.adapters.sqlite.errors import sqlite_errors
from core.adapters.sqlite.store import DATABASE_NAME
from core.adapters.sqlite.transactions import SqliteSnapshot
from core.domain.errors import NalandaError
from core.indexing.checkpoints.found import DIRECTORY
from core.ports.store import Snapshot
from core.verification import checkpoints, index, record


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked, in one read transaction; a server may have the directory meanwhile.

    `record`: what is wrong with the tables.
    """

    data_dir: Path
    snapshot: Snapshot
    record: Callable[[], Iterator[str]]
    full: bool


Check: TypeAlias = Callable[[Subject], Iterator[str]]
"""One line for each thing that is wrong."""

Begun: TypeAlias = Callable[[str], None]
"""Told the name of each check, before it."""


def _index(subject: Subject) -> Iterator[str]:
    """As a start would make it; what can't be used of its files is a finding as well."""
    try:
        with checkpoints.loaded(subject.data_dir / DIRECTORY, subject.snapshot) as (
            catalog,
            said,
        ):
            yield from said
            yield from index.problems(subject.snapshot, catalog, full=subject.full)
    except OSError as error:
        yield f"checkpoints: {error.filename}: {error.strerror}"


CHECKS: Sequence[tuple[str, Check]] = (
    ("record", lambda subject: subject.record()),
    ("index", _index),
)
"""In this order."""


def problems(data_dir: Path, *, full: bool = False, begun: Begun = lambda _: None) -> Iterator[str]:
    """Of a data directory with SQLite's file; one line each, as soon as it is found."""
    path = data_dir / DATABASE_NAME
    if not path.exists():
        yield f"{path} is missing"
        return
    try:
        with sqlite_errors(), closing(open_reader(path)) as connection:
            connection.execute("BEGIN")
            snapshot = SqliteSnapshot(connection, utc_now)
            subject = Subject(data_dir, snapshot, lambda: checks.problems(connection), full)
            yield from _checked(subject, begun)
    except NalandaError as error:
        yield f"{path}: {error}"


def problems_of_postgres(
    url: str, data_dir: Path, *, full: bool = False, begun: Begun = lambda _: None
) -> Iterator[str]:
    """`data_dir`: where the checkpoints are. Raises: StorageError: it is no URL of PostgreSQL's."""
    database = Database(url)
    try:
        with reading(database) as connection:
            ((position,),) = fetch(connection, "SELECT position FROM cluster")
            snapshot = PostgresSnapshot(connection, position, utc_now)
            subject = Subject(data_dir, snapshot, lambda: record.problems(snapshot), full)
            yield from _checked(subject, begun)
    except NalandaError as error:
        yield f"{database.place}: {error}"


def _checked(subject: Subject, begun: Begun) -> Iterator[str]:
    """What stops one check is a finding, and does not stop the next."""
    for name, check in CHECKS:
        begun(name)
        try:
            with sqlite_errors():
                yield from check(subject)
        except NalandaError as error:
            yield str(error)
        except (ValueError, KeyError, TypeError) as error:
            yield f"{name}: what is on record can't be read: {error}"
