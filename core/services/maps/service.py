"""The service of maps, which are drawn in the background and kept until the library changes."""

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.background_thread import BackgroundThread
from core.domain import filters, vectors
from core.domain.errors import Invalid, NotFound, ProviderRejected, Unavailable
from core.indexing.vectors.build_threads import lower_priority
from core.indexing.vectors.metric import FORMS
from core.indexing.views.catalog import Catalog
from core.indexing.views.view import LibraryView
from core.providers.base import Embedder
from core.services.maps.embedding_map import EmbeddingMap, draw, values_at
from core.services.positioned import Positioned

MAX_MAPS = 4
"""The maps that are kept, the last ones asked for: each has some 10 MB for 100,000 points."""


@dataclass(frozen=True, slots=True, eq=False)
class MapView:
    """A map as one request asks for it.

    `map`: `None` until the first one is drawn. `is_current`: the library has not changed since; if
    false, the next map is being drawn. `values`: the field's value of each point. `query`: the
    point of the text, `(2,) float32`.
    """

    map: EmbeddingMap | None
    is_current: bool
    values: Sequence[object] | None = None
    query: NDArray[np.float32] | None = None


class MapService:
    """The operations of maps; `embedders`: blocking, by the name of the model."""

    def __init__(self, catalog: Catalog, embedders: Mapping[str, Embedder]) -> None:
        self._catalog = catalog
        self._embedders = embedders
        self._lock = threading.Lock()
        # Guarded by `_lock`.
        self._wanted: dict[str, None] = {}
        self._maps: OrderedDict[str, EmbeddingMap] = OrderedDict()
        self._thread = BackgroundThread(
            "maps", self._draw_next, failure="A map could not be drawn.", begin=lower_priority
        )

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop the thread, after its current map."""
        self._thread.close()

    def look(
        self, ref: str, *, color_by: str | None = None, text: str | None = None
    ) -> Positioned[MapView]:
        """Return the library's last map, and have a new one drawn if the library has changed.

        `color_by`: a field as in a filter. `text`: a query to place on the map.

        Raises:
            NotFound: there is no such library.
            Invalid: at `/color_by` or `/text`.
        """
        state = self._catalog.state
        view = state.library(ref)
        field = None
        if color_by is not None:
            field = filters.parse_field(color_by, view.library.metadata_schema, "/color_by")
        drawn = self._last(view)
        is_current = drawn is not None and drawn.is_of(view)
        values = query = None
        if drawn is not None and field is not None:
            values = values_at(view, drawn.chunk_ids, field)
        if text is not None:
            query = self._place(view, drawn, text)
        return Positioned(MapView(drawn, is_current, values, query), state.position)

    def _last(self, view: LibraryView) -> EmbeddingMap | None:
        """Return the last map of a library; wake the thread if it is not the current one."""
        id_ = view.library.id
        with self._lock:
            drawn = self._maps.get(id_)
            if drawn is not None:
                self._maps.move_to_end(id_)
            if drawn is not None and drawn.is_of(view):
                return drawn
            self._wanted[id_] = None
        self._thread.wake()
        return drawn

    def _place(
        self, view: LibraryView, drawn: EmbeddingMap | None, text: str
    ) -> NDArray[np.float32] | None:
        """Return the point of a text; `None` before there is a map."""
        library = view.library
        if library.embedding_model is None:
            detail = "This library has no model, its vectors are the client's own."
            raise Invalid.at("/text", detail)
        if drawn is None or drawn.projection is None or drawn.model != library.embedding_model:
            return None
        embedder = self._embedders.get(library.embedding_model)
        if embedder is None:
            model = library.embedding_model
            raise ProviderRejected(f"This server has no model {model!r}, which the library needs.")
        [vector] = embedder.embed([text], "query")
        vectors.check(vector, dimension=library.dimension, metric=library.metric, pointer="/text")
        if FORMS[library.metric].is_cosine:
            vector = (vector / np.linalg.norm(vector)).astype(np.float32)
        point: NDArray[np.float32] = drawn.projection.points(vector[np.newaxis])[0]
        return point

    def _draw_next(self) -> float:
        with self._lock:
            if not self._wanted:
                return math.inf
            id_ = next(iter(self._wanted))
            del self._wanted[id_]
        state = self._catalog.state
        try:
            view = state.library(id_)
        except (NotFound, Unavailable):  # deleted meanwhile, or being rebuilt
            return 0.0
        last = self._maps.get(id_)
        if last is not None and last.is_of(view):  # asked for while it was being drawn
            return 0.0
        drawn = draw(view, state.position)
        with self._lock:
            self._maps[id_] = drawn
            self._maps.move_to_end(id_)
            while len(self._maps) > MAX_MAPS:
                self._maps.popitem(last=False)
        return 0.0
