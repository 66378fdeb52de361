"""Wire models of a library's index."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.wire.base import RequestModel, ResponseModel
from api.wire.search import parameter
from core.domain.library import IndexKind, IndexSpec
from core.indexing.maintenance.index_status import IndexState

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
