"""The interface of an engine's connection that the tables use."""

from collections.abc import Sequence
from typing import Protocol

from core.adapters.sql.columns import Row
from core.domain.document import EmbeddedChunk


class Session(Protocol):
    """An engine's connection; `?` binds a value, and `IN ??` binds a list of texts."""

    def fetch(self, statement: str, *bindings: object) -> list[Row]:
        """Return all rows of a statement."""
        ...

    def execute(self, statement: str, *bindings: object) -> None: ...

    def put_chunks(self, rows: Sequence[EmbeddedChunk]) -> None:
        """Insert or replace chunks, as fast as the engine can; the last row of an id wins."""
        ...
