"""Uploaded files in PostgreSQL, which the nodes of a cluster share."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

from core.adapters.incoming import Incoming, create_directory, delete_unfinished, full
from core.adapters.postgres.connections.database import Database, open_pool
from core.adapters.postgres.connections.errors import postgres_errors
from core.adapters.postgres.connections.rows import Connection, fetch
from core.adapters.sql.columns import Row
from core.adapters.uploads import PIECE_BYTES
from core.domain.errors import NotFound
from core.ports.uploads import UNREFERENCED_S

MAX_CONNECTIONS = 4

_ADD = """
INSERT INTO uploads (sha256, size_bytes) VALUES (%s, %s)
ON CONFLICT (sha256) DO UPDATE SET renewed_at = excluded.renewed_at
RETURNING (xmax = 0)
"""
_ADD_PIECE = "INSERT INTO upload_pieces (sha256, number, content) VALUES (%s, %s, %s)"
_RENEW = "UPDATE uploads SET renewed_at = clock_timestamp() WHERE sha256 = %s RETURNING sha256"
_REFER = """
INSERT INTO upload_references (ingestion, sha256) SELECT %s, unnest(%s::text[])
ON CONFLICT (ingestion, sha256) DO UPDATE SET at = excluded.at
"""
_OLD_INGESTIONS = """
SELECT ingestion FROM upload_references GROUP BY ingestion
HAVING max(at) <= clock_timestamp() - %s * interval '1 second'
"""
_SWEEP = """
DELETE FROM uploads WHERE renewed_at <= clock_timestamp() - %s * interval '1 second'
    AND NOT EXISTS (SELECT FROM upload_references AS r WHERE r.sha256 = uploads.sha256)
RETURNING sha256
"""


class PostgresUploads:
    """An `UploadStore` whose complete files are rows; unfinished ones are in a directory."""

    def __init__(self, database: Database, directory: Path, *, max_bytes: int) -> None:
        """Connect at the first call.

        Raises:
            StorageError: the directory can't be used.
        """
        self._directory = directory
        self._max_bytes = max_bytes
        self._bytes = 0
        create_directory(directory)
        self._pool = open_pool(database, "nalanda-uploads", connections=MAX_CONNECTIONS)

    def delete_unfinished(self) -> None:
        delete_unfinished(self._directory)

    def begin(self) -> Incoming:
        ((self._bytes,),) = self._fetch("SELECT coalesce(sum(size_bytes), 0)::bigint FROM uploads")
        return Incoming(self._directory, self)

    def put(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        if self._fetch(_RENEW, sha256):
            return sha256
        with self.begin() as incoming:
            incoming.write(content)
            return incoming.keep()

    def size_bytes(self, sha256: str) -> int:
        rows = self._fetch("SELECT size_bytes FROM uploads WHERE sha256 = %s", sha256)
        if not rows:
            raise NotFound("upload", sha256)
        return int(rows[0][0])

    def read(self, sha256: str) -> Iterator[bytes]:
        statement: LiteralString = (
            "SELECT content FROM upload_pieces WHERE sha256 = %s AND number = %s"
        )
        for number in range(-(-self.size_bytes(sha256) // PIECE_BYTES)):
            rows = self._fetch(statement, sha256, number)
            if not rows:
                raise NotFound("upload", sha256)
            yield rows[0][0]

    def refer(self, ingestion: str, hashes: Iterable[str]) -> None:
        self._execute(_REFER, ingestion, list(hashes))

    def forget(self, ingestion: str) -> None:
        self._execute("DELETE FROM upload_references WHERE ingestion = %s", ingestion)

    def ingestions(self, older_than_s: float = UNREFERENCED_S) -> list[str]:
        return [name for (name,) in self._fetch(_OLD_INGESTIONS, older_than_s)]

    def sweep(self, older_than_s: float = UNREFERENCED_S) -> int:
        return len(self._fetch(_SWEEP, older_than_s))

    def close(self) -> None:
        self._pool.close()

    def keep(self, unfinished: Path, sha256: str, size_bytes: int) -> None:
        """Store a complete file in one transaction, unless the same content is stored."""
        with self._connection() as connection, connection.transaction():
            ((is_new,),) = fetch(connection, _ADD, sha256, size_bytes)
            if is_new:
                with unfinished.open("rb") as file:
                    pieces = iter(lambda: file.read(PIECE_BYTES), b"")
                    for number, piece in enumerate(pieces):
                        connection.execute(_ADD_PIECE, (sha256, number, piece))

    def check_room(self, size_bytes: int) -> None:
        if self._bytes + size_bytes > self._max_bytes:
            raise full(self._max_bytes)

    def _fetch(self, statement: LiteralString, *bindings: Any) -> list[Row]:
        with self._connection() as connection:
            return fetch(connection, statement, *bindings)

    def _execute(self, statement: LiteralString, *bindings: Any) -> None:
        with self._connection() as connection:
            connection.execute(statement, bindings)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with postgres_errors(), self._pool.connection() as connection:
            yield connection
