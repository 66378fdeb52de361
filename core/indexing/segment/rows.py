"""A segment's vectors and chunks in arrays that successive views share."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.domain.document import Chunk, EmbeddedChunk, Embedding
from core.domain.library import Metric
from core.indexing.columns.chunks import ChunkColumns
from core.indexing.segment.delta_codes import DeltaCodes
from core.indexing.vectors.metric import FORMS

_ROWS_AT_ONCE = 2**12
_MAX_FACTOR_EXPONENT = 126
"""The greatest `e` for which both `2**e` and `2**-e` are normal float32 numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a segment, append-only: views share them without a lock.

    A row that a view can see never changes. Rows from a view's size on are unused, or belong to
    later views.

    `matrix`: `(capacity, d) float32`. Under cosine each row is its embedding scaled by a power of
    two to a norm in [0.5, 1): no bit is lost, and a float32 dot product of huge or tiny vectors
    does not overflow. `exponents`: `(capacity,) int32`, those powers. `norms`: `(capacity,)
    float64`, the norms of the matrix's rows. `chunks`: one for each row, a list in the delta,
    columns in a sealed segment. `codes`: the codes of the delta's rows. `mapped`: the matrix is
    mapped from a file.
    """

    metric: Metric
    matrix: NDArray[np.float32]
    norms: NDArray[np.float64]
    exponents: NDArray[np.int32]
    chunks: list[Chunk] | ChunkColumns
    mapped: bool = False
    codes: DeltaCodes = field(default_factory=DeltaCodes)

    @classmethod
    def empty(cls, metric: Metric, *, dimension: int = 0, capacity: int = 0) -> "Rows":
        return cls(
            metric=metric,
            matrix=np.empty((capacity, dimension), np.float32),
            norms=np.empty(capacity, np.float64),
            exponents=np.empty(capacity, np.int32),
            chunks=[],
        )

    @property
    def capacity(self) -> int:
        return len(self.matrix)

    @property
    def dimension(self) -> int:
        return int(self.matrix.shape[1])

    @property
    def memory_bytes(self) -> int:
        """The bytes of the arrays; a mapped matrix counts as 0, as the page cache can evict it."""
        matrix = 0 if self.mapped else self.matrix.nbytes
        chunks = 0 if isinstance(self.chunks, list) else self.chunks.memory_bytes
        numbers = self.norms.nbytes + self.exponents.nbytes + self.codes.memory_bytes
        return matrix + numbers + chunks

    def append(self, size: int, added: Sequence[EmbeddedChunk]) -> "Rows":
        """Append rows behind the first `size`: in place if they fit, else in a copy.

        A copy has twice the capacity that is needed, so that appending n rows costs O(n) in all.

        Raises:
            ValueError: an embedding's dimension differs from the rows'.
        """
        embeddings = np.stack([row.embedding for row in added])
        if embeddings.shape[1] != self.dimension:
            dimension = embeddings.shape[1]
            raise ValueError(f"The embeddings have {dimension} dimensions, not {self.dimension}.")
        end = size + len(added)
        rows = self if end <= self.capacity else self.copy(size, capacity=2 * end)
        rows.write(size, embeddings)
        # A write that failed half-way may have left chunks that no view refers to.
        assert isinstance(rows.chunks, list), "sealed rows stay as they are"
        del rows.chunks[size:]
        rows.chunks.extend(row.chunk for row in added)
        return rows

    def with_embeddings(self, embeddings: NDArray[np.float32], own: NDArray[np.intp]) -> "Rows":
        """Return rows with the same chunks and other embeddings: row `i` has `embeddings[own[i]]`.

        `embeddings`: `(n, d) float32`, of any dimension. `own`: `(size,) intp`.
        """
        size = len(own)
        rows = Rows.empty(self.metric, dimension=embeddings.shape[1], capacity=size)
        for start in range(0, size, _ROWS_AT_ONCE):
            rows.write(start, embeddings[own[start : start + _ROWS_AT_ONCE]])
        rows.matrix.flags.writeable = False
        chunks = self.chunks
        return replace(rows, chunks=chunks[:size] if isinstance(chunks, list) else chunks)

    def write(self, start: int, embeddings: NDArray[np.float32]) -> None:
        """Write `(n, d)` embeddings to the rows from `start` on, which no view can see yet."""
        end = start + len(embeddings)
        norms = np.linalg.norm(embeddings.astype(np.float64), axis=1)
        exponents = np.zeros(len(embeddings), np.int32)
        if FORMS[self.metric].is_cosine:
            norms, exponents = np.frexp(norms)
        self.matrix[start:end] = _scale(embeddings, -exponents)
        self.norms[start:end] = norms
        self.exponents[start:end] = exponents

    def copy(self, size: int, *, capacity: int) -> "Rows":
        """Copy the first `size` rows into new arrays with room for `capacity`."""
        copy = Rows.empty(self.metric, dimension=self.dimension, capacity=capacity)
        copy.matrix[:size] = self.matrix[:size]
        copy.norms[:size] = self.norms[:size]
        copy.exponents[:size] = self.exponents[:size]
        return replace(copy, chunks=list(self.chunks[:size]), codes=self.codes)

    def first(self, size: int) -> "Rows":
        """Return the first `size` rows without copying them, for rows that take no more appends."""
        return replace(
            self,
            matrix=self.matrix[:size],
            norms=self.norms[:size],
            exponents=self.exponents[:size],
        )

    def take(self, rows: NDArray[np.intp]) -> "Rows":
        """Copy the given rows, in the given order."""
        return Rows(
            metric=self.metric,
            matrix=self.matrix[rows],
            norms=self.norms[rows],
            exponents=self.exponents[rows],
            chunks=[self.chunks[row] for row in rows.tolist()],
        )

    def embedding(self, row: int) -> Embedding:
        """Return the embedding as it was added, `(d,) float32`."""
        return np.asarray(np.ldexp(self.matrix[row], self.exponents[row]))

    def embedded(self, rows: Sequence[int]) -> list[EmbeddedChunk]:
        return [EmbeddedChunk(self.chunks[row], self.embedding(row)) for row in rows]


def _scale(embeddings: NDArray[np.float32], exponents: NDArray[np.int32]) -> NDArray[np.float32]:
    """Multiply each row of `(n, d)` embeddings by its power of two.

    A product by a factor that float32 has is `ldexp`, at a tenth of the time.
    """
    if np.abs(exponents).max(initial=0) > _MAX_FACTOR_EXPONENT:
        return np.ldexp(embeddings, exponents[:, np.newaxis])
    return embeddings * np.ldexp(np.float32(1), exponents)[:, np.newaxis]
