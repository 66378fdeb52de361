"""The file of an incremental backup: a SQLite database of what changed between two positions.

Each versioned table has the rows that came, with `until`: the position at which they went
again, or NULL. Beside it `TABLE_ended` has the keys of rows that were there before and went, and
when. So it leads to each position between: drop what had ended by then, add what had come.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain, islice
from pathlib import Path

import apsw

from core.ports.backups import APPENDED, VERSIONED, BackupRow, BackupSource, Progress

_ROWS_AT_ONCE = 1_000


def write(path: Path, source: BackupSource, after: int, progress: Progress) -> None:
    """All that changed after this position, to a path where nothing is.

    `progress` is told of tables, though they are unequally long.
    """
    with closing(apsw.Connection(str(path))) as target:
        target.pragma("journal_mode", "off")  # it is no backup before it is whole
        target.pragma("synchronous", "off")
        with target:
            for done, (name, columns, rows) in enumerate(_contents(source, after)):
                _fill(target, name, columns, rows)
                progress(done + 1, 2 * len(VERSIONED) + len(APPENDED))


def apply(target: apsw.Connection, path: Path, position: int) -> None:
    """Moves the tables from where the increment starts to `position`, at most its end.

    `target` has the newest tables; the increment may be from before some of their columns.
    Foreign keys are off: the rows of a table come before those that they hang on.
    """
    target.execute("ATTACH ? AS increment", (str(path),))
    try:
        with target:
            for table in VERSIONED:
                _end(target, table.name, table.key, position)
            for table in VERSIONED:
                living = "version <= ?1 AND (until IS NULL OR until > ?1)"
                _insert(target, table.name, living, position)
            for name, column in APPENDED.items():
                _insert(target, name, f"{column} <= ?1", position)
            target.execute("UPDATE cluster SET position = ?", (position,))
    finally:
        target.execute("DETACH increment")


def _contents(
    source: BackupSource, after: int
) -> Iterator[tuple[str, list[str], Iterable[BackupRow]]]:
    for table in VERSIONED:
        columns = [*source.columns(table.name), "until"]
        came = chain(source.current(table, after), source.superseded(table, after))
        yield table.name, columns, came
        yield f"{table.name}_ended", [*table.key, "until"], source.ended(table, after)
    for name in APPENDED:
        yield name, source.columns(name), source.appended(name, after)


def _fill(
    target: apsw.Connection, name: str, columns: list[str], rows: Iterable[BackupRow]
) -> None:
    target.execute(f"CREATE TABLE {name} ({', '.join(map(_quoted, columns))})")
    insert = f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})"  # noqa: S608  # names of our own
    remaining = iter(rows)
    while batch := list(islice(remaining, _ROWS_AT_ONCE)):
        target.executemany(insert, batch)


def _end(target: apsw.Connection, name: str, key: tuple[str, ...], position: int) -> None:
    columns = ", ".join(key)
    target.execute(
        f"DELETE FROM main.{name} WHERE ({columns}) IN"  # noqa: S608  # names of our own
        f" (SELECT {columns} FROM increment.{name}_ended WHERE until <= ?)",
        (position,),
    )


def _insert(target: apsw.Connection, name: str, condition: str, position: int) -> None:
    here, there = _columns(target, "main", name), _columns(target, "increment", name)
    columns = ", ".join(_quoted(column) for column in here if column in there)
    target.execute(
        f"INSERT INTO main.{name} ({columns})"  # noqa: S608  # names of our own
        f" SELECT {columns} FROM increment.{name} WHERE {condition}",
        (position,),
    )


def _columns(target: apsw.Connection, schema: str, table: str) -> list[str]:
    rows = target.execute("SELECT name FROM pragma_table_info(?, ?)", (table, schema))
    return [str(row[0]) for row in rows]


def _quoted(column: str) -> str:
    return f'"{column}"'
