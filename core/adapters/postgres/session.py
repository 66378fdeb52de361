"""The tables' session on a PostgreSQL connection."""

from collections.abc import Sequence
from functools import cache

from core.adapters.postgres.rows import Connection, columns_of
from core.adapters.sql.columns import Column, Row
from core.adapters.sql.rows import CHUNKS, EMBEDDING, from_embedded
from core.domain.document import EmbeddedChunk


def _array(column: Column) -> str:
    """Return the placeholder of a column's values; times are sent as text."""
    mark = "%s" if column.codec.kind == "timestamptz" else "%b"
    return f"{mark}::{column.codec.kind}[]"


# One statement for all rows takes two thirds of the time of one per row, and half the client's
# work.
_ARRAYS = ", ".join(map(_array, [*CHUNKS.columns, EMBEDDING]))
_ROWS = f"SELECT * FROM unnest({_ARRAYS})"  # noqa: S608  # names of our own
_PUT_CHUNKS = CHUNKS.upsert(_ROWS, [EMBEDDING]).encode()


class PostgresSession:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def fetch(self, statement: str, *bindings: object) -> list[Row]:
        # In the binary form, in which vectors are half as long.
        return self._connection.execute(_to_postgres(statement), bindings, binary=True).fetchall()

    def execute(self, statement: str, *bindings: object) -> None:
        self._connection.execute(_to_postgres(statement), bindings)

    def put_chunks(self, rows: Sequence[EmbeddedChunk]) -> None:
        # A statement may replace a row once only.
        last = {row.chunk.id: from_embedded(row) for row in rows}
        self._connection.execute(_PUT_CHUNKS, columns_of(list(last.values())))


@cache
def _to_postgres(statement: str) -> bytes:
    return statement.replace("IN ??", "= ANY(?)").replace("?", "%s").encode()
