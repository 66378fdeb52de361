"""Wire models of a library's index and map."""

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.wire.base import RequestModel, ResponseModel
from api.wire.search import parameter
from core.domain.library import IndexKind, IndexSpec
from core.indexing.maintenance.index_status import IndexState
from core.services.maps.embedding_map import EmbeddingMap
from core.services.maps.service import MapView

_PARAMETERS = {
    IndexKind.AUTO: {"m", "ef_construction", "ef", "nlist", "nprobe", "target_recall"},
    IndexKind.FLAT: set(),
    IndexKind.IVF: {"nlist", "nprobe", "target_recall"},
    IndexKind.HNSW: {"m", "ef_construction", "ef", "target_recall"},
}

_Count = Annotated[int, Field(ge=1, le=1_000_000)]


class IndexRequest(RequestModel):
    """An index kind with its parameters; the server chooses the omitted ones."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "hnsw", "m": 16}]})

    kind: IndexKind
    m: Annotated[int, Field(ge=2, le=256)] | None = Field(
        default=None, description="hnsw: neighbours per vector on each level"
    )
    ef_construction: _Count | None = Field(
        default=None, description="hnsw: candidates examined per insertion"
    )
    ef: int | None = parameter("ef", "hnsw: candidates examined per search")
    nlist: _Count | None = Field(default=None, description="ivf: number of cells")
    nprobe: int | None = parameter("nprobe", "ivf: cells probed per search")
    target_recall: float | None = parameter("target_recall", "mean recall that searches must reach")

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        for name in self._parameters():
            if name not in _PARAMETERS[self.kind]:
                detail = f"The index kind {self.kind} has no such parameter."
                raise PydanticCustomError(
                    "rule", "{detail}", {"detail": detail, "inside": f"/{name}"}
                )
        return self

    def _parameters(self) -> dict[str, float]:
        return self.model_dump(exclude={"kind"}, exclude_none=True)

    def spec(self) -> IndexSpec:
        return IndexSpec(self.kind, self._parameters())


class RecallResponse(ResponseModel):
    """The mean recall of the last `searches` measured searches."""

    measured: float
    worst_tenth: float
    searches: int


class IndexResponse(ResponseModel):
    """The state of an index.

    `vectors`: searchable vectors. `deleted`: deleted vectors whose space is not free yet. `error`:
    the reason why the state is `failed`; `null` otherwise.
    """

    kind: IndexKind
    state: IndexState
    error: str | None = None
    segments: int
    vectors: int
    deleted: int
    memory_bytes: int
    lexical_memory_bytes: int
    recall: RecallResponse | None
    parameters: dict[str, Any]


MapPart: TypeAlias = Literal["points", "health"]
_MAP_PARTS: tuple[MapPart, ...] = ("points", "health")


class MapRequest(RequestModel):
    """A request for a library's map.

    `color_by`: a field as in a filter, whose value is returned for each point. `text`: a query,
    whose point is returned.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"color_by": "document.title", "include": ["points"]}]}
    )

    color_by: str | None = None
    text: str | None = Field(default=None, min_length=1, max_length=100_000)
    include: list[MapPart] = Field(default_factory=lambda: list(_MAP_PARTS), max_length=16)


class NeighboursResponse(ResponseModel):
    """A chunk, the nearest other chunk, and the cosine of their embeddings."""

    chunk_id: str
    nearest_id: str
    similarity: float


class HealthResponse(ResponseModel):
    """The health of a library's embeddings.

    `probed`: the number of chunks whose nearest neighbour was looked up. `degenerate`: chunks whose
    vectors have no length to speak of.
    """

    probed: int
    near_duplicates: list[NeighboursResponse]
    outliers: list[NeighboursResponse]
    degenerate: list[str]


class PointsResponse(ResponseModel):
    """The points of a map, in columns of one length.

    `x`, `y`: base64 of little-endian float32. `codes`: base64 of little-endian int32, the place in
    `values` of each point's value, −1 without one.
    """

    chunk_ids: list[str]
    x: str
    y: str
    values: list[Any] | None = None
    codes: str | None = None


class MapResponse(ResponseModel):
    """The map of a library at `position`; all else is `null` until the first map is drawn.

    `state`: `computing` if a map of a later position is being drawn. `total`: the number of chunks,
    of which the points are a sample if there are fewer. `explained`: the share of the variance
    along each axis. `query`: the point of the text.
    """

    state: Literal["ready", "computing"]
    position: int | None = None
    total: int | None = None
    explained: list[float] | None = None
    points: PointsResponse | None = None
    health: HealthResponse | None = None
    query: list[float] | None = None


def map_response(view: MapView, include: Sequence[MapPart]) -> MapResponse:
    state: Literal["ready", "computing"] = "ready" if view.is_current else "computing"
    drawn = view.map
    if drawn is None:
        return MapResponse(state=state)
    return MapResponse(
        state=state,
        position=drawn.position,
        total=drawn.total,
        explained=None if drawn.projection is None else list(drawn.projection.explained),
        points=_points(drawn, view.values) if "points" in include else None,
        health=HealthResponse.model_validate(drawn.health) if "health" in include else None,
        query=None if view.query is None else view.query.tolist(),
    )


def _points(drawn: EmbeddingMap, values: Sequence[object] | None) -> PointsResponse:
    x, y = (_base64(drawn.points[:, axis].astype("<f4")) for axis in (0, 1))
    if values is None:
        return PointsResponse(chunk_ids=drawn.chunk_ids, x=x, y=y)
    # By type as well: True equals 1, and is another value.
    keys = [None if value is None else (type(value), value) for value in values]
    places = {key: place for place, key in enumerate(dict.fromkeys(filter(None, keys)))}
    distinct = [value for _, value in places]
    codes = np.array([-1 if key is None else places[key] for key in keys], "<i4")
    return PointsResponse(
        chunk_ids=drawn.chunk_ids, x=x, y=y, values=distinct, codes=_base64(codes)
    )


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(array.tobytes()).decode()
