"""What a reader sees of one library: immutable, and never waited for."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from immutables import Map
from numpy.typing import NDArray

from core.domain.document import Chunk, Document, Embedding
from core.domain.filters import Filter, compile_filter, ids_named_by
from core.domain.library import Library
from core.indexing import exact
from core.indexing.exact import Ranking, RowNumbers, Vectors
from core.indexing.rows import Rows


@dataclass(frozen=True, slots=True, eq=False)
class LibraryView:
    """A library with its documents, chunks and vectors, as of one position.

    `rows_by_id`: where each chunk is. `size`: how many of the rows are this view's, deleted
    ones included. `alive`: `(capacity,) bool`, false for deleted rows; views share it until
    one deletes.
    """

    library: Library
    rows: Rows
    alive: NDArray[np.bool_]
    size: int = 0
    documents: Map[str, Document] = Map()  # noqa: RUF009  # immutable
    rows_by_id: Map[str, int] = Map()  # noqa: RUF009  # immutable

    @classmethod
    def empty(cls, library: Library) -> "LibraryView":
        return cls(library, Rows.empty(library.metric), np.empty(0, np.bool_))

    @property
    def vectors(self) -> int:
        return len(self.rows_by_id)

    @property
    def deleted(self) -> int:
        """Rows that still take space."""
        return self.size - self.vectors

    @property
    def memory_bytes(self) -> int:
        return self.rows.memory_bytes + self.alive.nbytes

    def live_rows(self) -> RowNumbers:
        return np.flatnonzero(self.alive[: self.size])

    def chunk(self, row: int) -> Chunk:
        return self.rows.chunks[row]

    def document(self, row: int) -> Document:
        return self.documents[self.chunk(row).document_id]

    def embedding(self, row: int) -> Embedding:
        return self.rows.embedding(row)

    def matching(self, filter_: Filter | None) -> RowNumbers:
        """The rows of the chunks that match; all without a filter.

        O(n), or O(i log i) for a filter that names i ids.
        """
        if filter_ is None:
            return self.live_rows()
        matches = compile_filter(filter_)
        chunks, documents = self.rows.chunks, self.documents
        found = [
            row
            for row in self._candidates(filter_)
            if matches(chunk := chunks[row], documents[chunk.document_id])
        ]
        return np.array(found, np.intp)

    def _candidates(self, filter_: Filter) -> Iterable[int]:
        """Rows in order; those that are left out match no filter like this."""
        ids = ids_named_by(filter_)
        if ids is None:
            rows: list[int] = self.live_rows().tolist()
            return rows
        return sorted(self.rows_by_id[id_] for id_ in ids if id_ in self.rows_by_id)

    def search(
        self, queries: NDArray[np.float32], k: int, allowed: RowNumbers | None = None
    ) -> list[Ranking]:
        """The `min(k, allowed)` nearest chunks for each query, ties in order of chunk id.

        `queries`: `(q, d) float32`, of the library's dimension. `allowed`: the rows to choose
        from, such as `matching` gives; all if `None`.
        """
        if not self.vectors:
            return [Ranking(np.empty(0, np.intp), np.empty(0)) for _ in queries]
        if allowed is None and self.deleted:
            allowed = self.live_rows()
        matrix, norms = self.rows.matrix[: self.size], self.rows.norms[: self.size]
        vectors = Vectors(self.rows.metric, matrix, norms)
        return [
            exact.search(vectors, query, k, eligible=allowed, chunk_id=self._chunk_id)
            for query in queries
        ]

    def _chunk_id(self, row: int) -> str:
        return self.rows.chunks[row].id
