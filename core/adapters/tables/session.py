"""What the tables ask of an engine's connection."""

from collections.abc import Sequence
from typing import Protocol

from core.adapters.rows import Row
from core.domain.document import EmbeddedChunk


class Session(Protocol):
    """In a statement `?` is the next binding, and `IN ??` means one of a list of texts."""

    def fetch(self, statement: str, *bindings: object) -> list[Row]:
        """All rows at once."""
        ...

    def execute(self, statement: str, *bindings: object) -> None: ...

    def put_chunks(self, rows: Sequence[EmbeddedChunk]) -> None:
        """Insert or replace, in the way that is fastest there; the last of an id is what counts."""
        ...
