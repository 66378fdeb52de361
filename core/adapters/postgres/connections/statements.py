"""Statements, and several of them in one round trip."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg.errors import PipelineAborted

from core.adapters.postgres.connections.rows import Connection
from core.adapters.sql.columns import Row


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its bindings."""

    text: bytes
    bindings: Sequence[object] = ()

    def run(self, connection: Connection) -> psycopg.Cursor[Row]:
        # In the binary form, in which vectors are half as long.
        return connection.execute(self.text, self.bindings or None, binary=True)


def run_all(connection: Connection, statements: Sequence[Statement]) -> psycopg.Cursor[Row]:
    """Run statements in one round trip; return the cursor of the last one.

    The server skips all statements after one that fails.

    Raises:
        psycopg.Error: the first error.
    """
    if not statements:
        return connection.cursor()
    *others, last = statements
    if not others:
        return last.run(connection)
    failed: psycopg.Error | None = None
    try:
        with connection.pipeline():
            try:
                for statement in others:
                    statement.run(connection)
                cursor = last.run(connection)
            except psycopg.Error as error:  # the pipeline's end raises no more than its echo
                failed = error
    except psycopg.Error as error:
        raise _first_of(failed or error) from None
    if failed is not None:
        raise failed
    return cursor


def _first_of(error: psycopg.Error) -> psycopg.Error:
    """Return the error that aborted a pipeline; psycopg raises it as the context of the others."""
    while isinstance(error, PipelineAborted) and isinstance(error.__context__, psycopg.Error):
        error = error.__context__
    return error
