"""The file of an incremental backup: a SQLite database of the changes between two positions.

For each versioned table the file has the rows put in the range, with `until`: the position that
ended the row, or NULL. `TABLE_ended` has the keys of older rows that ended in the range, and the
position. To reach any position of the range, delete the rows ended by then, and insert those put
by then and not yet ended.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain, islice
from pathlib import Path

import apsw

from core.ports.backups import APPENDED, VERSIONED, BackupRow, BackupSource, Progress

_BATCH_ROWS = 1_000


def write(path: Path, source: BackupSource, after: int, progress: Progress) -> None:
    """Write all changes after a position to a new file.

    `progress` counts tables, whatever their sizes.
    """
    with closing(apsw.Connection(str(path))) as target:
        target.pragma("journal_mode", "off")  # an incomplete file is no backup
        target.pragma("synchronous", "off")
        with target:
            for done, (name, columns, rows) in enumerate(_contents(source, after)):
                _fill(target, name, columns, rows)
                progress(done + 1, 2 * len(VERSIONED) + len(APPENDED))


def apply(target: apsw.Connection, path: Path, position: int) -> None:
    """Bring the tables from the increment's start to `position`, at most the increment's end.

    `target` has the newest tables; the increment may lack some of them, and of their columns.
    Foreign keys must be off, because children may come before their parents.
    """
    target.execute("ATTACH ? AS increment", (str(path),))
    try:
        with target:
            tables = [table for table in VERSIONED if _columns(target, "increment", table.name)]
            for table in tables:
                _end(target, table.name, table.key, position)
            for table in tables:
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
        came = chain(source.current_rows(table, after), source.superseded_rows(table, after))
        yield table.name, columns, came
        yield f"{table.name}_ended", [*table.key, "until"], source.ended_rows(table, after)
    for name in APPENDED:
        yield name, source.columns(name), source.appended_rows(name, after)


def _fill(
    target: apsw.Connection, name: str, columns: list[str], rows: Iterable[BackupRow]
) -> None:
    target.execute(f"CREATE TABLE {name} ({', '.join(map(_quote, columns))})")
    insert = f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})"  # noqa: S608  # names of our own
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH_ROWS)):
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
    columns = ", ".join(_quote(column) for column in here if column in there)
    target.execute(
        f"INSERT INTO main.{name} ({columns})"  # noqa: S608  # names of our own
        f" SELECT {columns} FROM increment.{name} WHERE {condition}",
        (position,),
    )


def _columns(target: apsw.Connection, schema: str, table: str) -> list[str]:
    rows = target.execute("SELECT name FROM pragma_table_info(?, ?)", (table, schema))
    return [str(row[0]) for row in rows]


def _quote(column: str) -> str:
    return f'"{column}"'
