"""The tables' sessions on PostgreSQL: of a read transaction, and of a unit of work."""

from collections.abc import Sequence
from functools import cache

from core.adapters.postgres.connections.rows import Connection
from core.adapters.postgres.connections.statements import Statement
from core.adapters.postgres.writing.write_sets import ChunkPut
from core.adapters.postgres.writing.writer import Writer
from core.adapters.sql.columns import Row
from core.domain.document import EmbeddedChunk


class PostgresReadSession:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def fetch(self, statement: str, *bindings: object) -> list[Row]:
        return Statement(_to_postgres(statement), bindings).run(self._connection).fetchall()


class PostgresSession:
    """The session of the writer's current unit; statements without a result are sent later."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def fetch(self, statement: str, *bindings: object) -> list[Row]:
        return self._writer.fetch(Statement(_to_postgres(statement), bindings))

    def fetch_changed(self, statement: str, *bindings: object) -> list[Row]:
        return self._writer.fetch_changed(Statement(_to_postgres(statement), bindings))

    def execute(self, statement: str, *bindings: object) -> None:
        self._writer.write(Statement(_to_postgres(statement), bindings))

    def put_chunks(self, rows: Sequence[EmbeddedChunk]) -> None:
        self._writer.write(ChunkPut.of(rows))


@cache
def _to_postgres(statement: str) -> bytes:
    return statement.replace("IN ??", "= ANY(?)").replace("?", "%s").encode()
