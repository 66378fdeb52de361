"""The tables' session on a SQLite connection."""

import json
from collections.abc import Sequence
from functools import cache

import apsw

from core.adapters.sql.columns import Row
from core.adapters.sql.rows import CHUNKS, EMBEDDING, from_embedded
from core.domain.document import EmbeddedChunk

_PUT_CHUNK = CHUNKS.upsert_row([EMBEDDING])


class SqliteSession:
    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def fetch(self, statement: str, *bindings: object) -> list[Row]:
        # All rows at once, because an open cursor would keep the transaction open.
        return self._connection.execute(
            _to_sqlite(statement), tuple(map(_to_binding, bindings))
        ).fetchall()

    def fetch_changed(self, statement: str, *bindings: object) -> list[Row]:
        return self.fetch(statement, *bindings)

    def execute(self, statement: str, *bindings: object) -> None:
        self.fetch(statement, *bindings)

    def put_chunks(self, rows: Sequence[EmbeddedChunk]) -> None:
        self._connection.executemany(_PUT_CHUNK, map(from_embedded, rows))


@cache
def _to_sqlite(statement: str) -> str:
    return statement.replace("IN ??", "IN (SELECT value FROM json_each(?))")


def _to_binding(binding: object) -> object:
    """Return the value that SQLite binds: a list of any length becomes one JSON text."""
    return json.dumps(binding) if isinstance(binding, list) else binding
