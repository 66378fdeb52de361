"""A map of a library's embeddings at one position, in bounded time and memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from core.domain.filters import Field
from core.domain.values import MISSING, to_json
from core.indexing.views.view import LibraryView
from core.services.maps.health import MAX_PROBES, Health, examine
from core.services.maps.projection import Projection, fit
from core.services.maps.sample import Sample

MAX_POINTS = 100_000
_FIT_BYTES = 64 * 2**20
"""The bytes of the vectors that the projection is fitted to."""
_MAX_VALUE_LENGTH = 200


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingMap:
    """The map of a library at `position`.

    `total`: the number of its chunks, of which the map has at most `MAX_POINTS`. `chunk_ids`: those
    of the points. `points`: `(n, 2) float32`. `revision`, `model`: those of the view, which tell
    whether the map is still current.
    """

    position: int
    revision: int
    model: str | None
    total: int
    chunk_ids: list[str]
    points: NDArray[np.float32]
    projection: Projection | None
    health: Health

    def is_of(self, view: LibraryView) -> bool:
        """Return whether the view has the same vectors as when the map was made."""
        return (self.revision, self.model) == (view.revision, view.library.embedding_model)


def draw(view: LibraryView, position: int) -> EmbeddingMap:
    """Draw the map of a view. O(n·d) for n points, and `MAX_PROBES` searches."""
    sample = Sample.of(view, MAX_POINTS)
    projection = _fit(view)
    points = np.empty((0, 2), np.float32)
    if projection is not None:
        points = np.concatenate([projection.points(block) for block in sample.blocks()])
    return EmbeddingMap(
        position=position,
        revision=view.revision,
        model=view.library.embedding_model,
        total=view.vectors,
        chunk_ids=sample.chunk_ids,
        points=points,
        projection=projection,
        health=examine(sample, Sample.of(view, MAX_PROBES)),
    )


def _fit(view: LibraryView) -> Projection | None:
    if not view.vectors:
        return None
    row_bytes = 4 * view.segments[0].rows.dimension
    sample = Sample.of(view, min(MAX_POINTS, max(2, _FIT_BYTES // row_bytes)))
    return fit(np.concatenate(list(sample.blocks())))


def values_at(view: LibraryView, chunk_ids: Sequence[str], field: Field) -> list[object]:
    """Return the field's value of each chunk, as a scalar; `None` where there is none."""
    row_ids = view.row_ids_of(chunk_ids)
    read = field.reader()

    def value(chunk_id: str) -> object:
        row_id = row_ids.get(chunk_id)
        if row_id is None:  # deleted since the map was drawn
            return None
        chunk = view.chunk(row_id)
        return _scalar(read(chunk, view.documents[chunk.document_id]))

    return [value(chunk_id) for chunk_id in chunk_ids]


def _scalar(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return value[:_MAX_VALUE_LENGTH]
        case datetime():
            return value.isoformat()
        case list():
            return ", ".join(map(str, islice(value, 10)))[:_MAX_VALUE_LENGTH]
        case dict():
            return to_json(value)[:_MAX_VALUE_LENGTH]
        case _:
            assert value is MISSING
            return None
