"""The interface of an engine's connection that the tables use."""

from collections.abc import Sequence
from typing import Protocol

from core.adapters.sql.columns import Row
from core.domain.document import EmbeddedChunk


class ReadSession(Protocol):
    """A read transaction; `?` binds a value, and `IN ??` binds a list of texts."""

    def fetch(self, statement: str, *bindings: object) -> list[Row]:
        """Return all rows of a statement that changes nothing."""
        ...


class Session(ReadSession, Protocol):
    """A unit of work, whose statements may run as late as with its commit."""

    def fetch_changed(self, statement: str, *bindings: object) -> list[Row]:
        """Run a statement that changes rows; return those that its RETURNING names."""
        ...

    def execute(self, statement: str, *bindings: object) -> None: ...

    def put_chunks(self, rows: Sequence[EmbeddedChunk]) -> None:
        """Insert or replace chunks, as fast as the engine can; the last row of an id wins."""
        ...
