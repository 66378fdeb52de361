"""The vectors of a library as arrays, which successive views share."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.domain.document import Chunk, EmbeddedChunk, Embedding
from core.domain.library import Metric
from core.indexing.columns.chunks import ChunkColumns
from core.indexing.segment.delta_codes import DeltaCodes


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Append-only: a row that a view can see never changes, so views share it unlocked.

    `matrix`: `(capacity, d) float32`. Under cosine each row is its embedding scaled by a
    power of two to a norm in [0.5, 1): no bit is lost, and neither huge nor tiny vectors
    overflow float32 in a dot product. `exponents`: `(capacity,) int32`, the powers.
    `norms`: `(capacity,) float64`, those of the matrix's rows. `chunks`: one for each row, a list
    while rows come, and columns once they are sealed. `codes`: of rows that still come.
    Rows from a view's size on are unused, or belong to later views. `mapped`: the matrix is
    that of a file.
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
        """A mapped matrix takes none: its pages are the file's, and go when others need room."""
        matrix = 0 if self.mapped else self.matrix.nbytes
        chunks = 0 if isinstance(self.chunks, list) else self.chunks.memory_bytes
        numbers = self.norms.nbytes + self.exponents.nbytes + self.codes.memory_bytes
        return matrix + numbers + chunks

    def extended(self, size: int, added: Sequence[EmbeddedChunk]) -> "Rows":
        """With rows added behind the first `size`: in place if they fit, else in a copy.

        A copy has twice the room that is needed, so n rows one by one cost O(n) in all.

        Raises:
            ValueError: an embedding of another dimension.
        """
        embeddings = np.stack([row.embedding for row in added])
        if embeddings.shape[1] != self.dimension:
            raise ValueError(f"The vectors have {self.dimension} numbers, not {embeddings.shape}.")
        end = size + len(added)
        rows = self if end <= self.capacity else self.copy(size, capacity=2 * end)
        norms = np.linalg.norm(embeddings.astype(np.float64), axis=1)
        exponents = np.zeros(len(added), np.int32)
        if self.metric is Metric.COSINE:
            norms, exponents = np.frexp(norms)
        rows.matrix[size:end] = np.ldexp(embeddings, -exponents[:, np.newaxis])
        rows.norms[size:end] = norms
        rows.exponents[size:end] = exponents
        # What a write that failed half-way may have left behind is no view's.
        assert isinstance(rows.chunks, list), "sealed rows stay as they are"
        del rows.chunks[size:]
        rows.chunks.extend(row.chunk for row in added)
        return rows

    def copy(self, size: int, *, capacity: int) -> "Rows":
        """Of the first `size` rows, with room for others."""
        copy = Rows.empty(self.metric, dimension=self.dimension, capacity=capacity)
        copy.matrix[:size] = self.matrix[:size]
        copy.norms[:size] = self.norms[:size]
        copy.exponents[:size] = self.exponents[:size]
        return replace(copy, chunks=list(self.chunks[:size]), codes=self.codes)

    def trimmed(self, size: int) -> "Rows":
        """The first `size` rows, not copied: for when no more come."""
        return replace(
            self,
            matrix=self.matrix[:size],
            norms=self.norms[:size],
            exponents=self.exponents[:size],
        )

    def taken(self, rows: NDArray[np.intp]) -> "Rows":
        """A copy of these, in the order given."""
        return Rows(
            metric=self.metric,
            matrix=self.matrix[rows],
            norms=self.norms[rows],
            exponents=self.exponents[rows],
            chunks=[self.chunks[row] for row in rows.tolist()],
        )

    def embedding(self, row: int) -> Embedding:
        """As it was given, `(d,) float32`."""
        return np.asarray(np.ldexp(self.matrix[row], self.exponents[row]))

    def embedded(self, rows: Sequence[int]) -> list[EmbeddedChunk]:
        return [EmbeddedChunk(self.chunks[row], self.embedding(row)) for row in rows]
