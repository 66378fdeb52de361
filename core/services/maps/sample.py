"""The chunks of a view that a map shows: all of them, or evenly spaced ones of a large library."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.indexing.segment.segment import RowIds
from core.indexing.vectors.metric import FORMS
from core.indexing.views.view import LibraryView

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows of a view; `rows` has for each segment its live rows, ascending."""

    view: LibraryView
    rows: tuple[NDArray[np.intp], ...]

    @classmethod
    def of(cls, view: LibraryView, most: int) -> "Sample":
        """Choose at most `most` of the view's live rows, evenly spaced in order of insertion."""
        live = [np.flatnonzero(segment.alive[: segment.size]) for segment in view.segments]
        every = -(-view.vectors // most) if view.vectors else 1
        chosen, skipped = [], 0
        for rows in live:
            chosen.append(rows[-skipped % every :: every])
            skipped += len(rows)
        return cls(view, tuple(chosen))

    def __len__(self) -> int:
        return sum(map(len, self.rows))

    @property
    def row_ids(self) -> RowIds:
        """The row ids, `(n,) int64`, ascending."""
        pairs = zip(self.view.segments, self.rows, strict=True)
        ids = [segment.row_ids_of(rows) for segment, rows in pairs]
        return np.concatenate([np.empty(0, np.int64), *ids])

    @property
    def chunk_ids(self) -> list[str]:
        pairs = zip(self.view.segments, self.rows, strict=True)
        return [chunk.id for segment, rows in pairs for chunk in segment.chunks_at(rows.tolist())]

    @property
    def norms(self) -> NDArray[np.float64]:
        """The norms of the rows as the index has them; under cosine from 0.5 to 1."""
        pairs = zip(self.view.segments, self.rows, strict=True)
        norms = [segment.rows.norms[rows] for segment, rows in pairs]
        return np.concatenate([np.empty(0), *norms])

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield the vectors as searches compare them: under cosine of unit norm."""
        for segment, rows in zip(self.view.segments, self.rows, strict=True):
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                block = rows[start : start + _ROWS_AT_ONCE]
                vectors = segment.rows.matrix[block]
                if FORMS[segment.rows.metric].is_cosine:
                    vectors = (vectors / segment.rows.norms[block, np.newaxis]).astype(np.float32)
                yield vectors
