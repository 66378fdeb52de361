"""Verification of a database and its data directory: the record, and the index built from it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from core.adapters.clock import utc_now
from core.adapters.postgres.database import Database
from core.adapters.postgres.offline_connection import read_offline
from core.adapters.postgres.rows import fetch
from core.adapters.postgres.transactions import PostgresSnapshot
from core.adapters.sqlite import checks
from core.adapters.sqlite.database import open_reader
from core.adapters.sqlite.errors import sqlite_errors
from core.adapters.sqlite.store import DATABASE_NAME
from core.adapters.sqlite.transactions import SqliteSnapshot
from core.domain.errors import NalandaError
from core.indexing.checkpoints.paths import DIRECTORY
from core.ports.store import Snapshot
from core.verification import checkpoints, index, record


@dataclass(frozen=True, slots=True)
class Subject:
    """The database under verification, in one read transaction; a server may run meanwhile.

    `record` yields the problems of the tables.
    """

    data_dir: Path
    snapshot: Snapshot
    record: Callable[[], Iterator[str]]
    full: bool


Check: TypeAlias = Callable[[Subject], Iterator[str]]
"""Yields one line for each problem."""

OnCheck: TypeAlias = Callable[[str], None]
"""Called with the name of each check, before the check."""


def _index(subject: Subject) -> Iterator[str]:
    """Load the index as a start does; yield its problems, and those of its files."""
    try:
        with checkpoints.load_index(subject.data_dir / DIRECTORY, subject.snapshot) as (
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
"""All checks, in the order in which they run."""


def problems(
    data_dir: Path, *, full: bool = False, on_check: OnCheck = lambda _: None
) -> Iterator[str]:
    """Yield one line for each problem of a data directory with a SQLite file, once found."""
    path = data_dir / DATABASE_NAME
    if not path.exists():
        yield f"{path} is missing"
        return
    try:
        with sqlite_errors(), closing(open_reader(path)) as connection:
            connection.execute("BEGIN")
            snapshot = SqliteSnapshot(connection, utc_now)
            subject = Subject(data_dir, snapshot, lambda: checks.problems(connection), full)
            yield from _run_checks(subject, on_check)
    except NalandaError as error:
        yield f"{path}: {error}"


def problems_of_postgres(
    url: str, data_dir: Path, *, full: bool = False, on_check: OnCheck = lambda _: None
) -> Iterator[str]:
    """Yield one line for each problem of a PostgreSQL database and the checkpoints in `data_dir`.

    Raises:
        StorageError: `url` is no PostgreSQL URL.
    """
    database = Database(url)
    try:
        with read_offline(database) as connection:
            ((position,),) = fetch(connection, "SELECT position FROM cluster")
            snapshot = PostgresSnapshot(connection, position, utc_now)
            subject = Subject(data_dir, snapshot, lambda: record.problems(snapshot), full)
            yield from _run_checks(subject, on_check)
    except NalandaError as error:
        yield f"{database.place}: {error}"


def _run_checks(subject: Subject, on_check: OnCheck) -> Iterator[str]:
    """Run all checks; an error that ends one check is a problem, and the next check runs."""
    for name, check in CHECKS:
        on_check(name)
        try:
            with sqlite_errors():
                yield from check(subject)
        except NalandaError as error:
            yield str(error)
        except (ValueError, KeyError, TypeError) as error:
            yield f"{name}: the record can't be read: {error}"
