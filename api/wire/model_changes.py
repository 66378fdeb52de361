"""Wire models of model changes."""

from datetime import datetime
from typing import Literal, Self, TypeAlias

from pydantic import ConfigDict, Field

from api.wire.base import RequestModel, ResponseModel
from core.domain.model_change import ModelChange, ModelChangeState

MAX_MODEL_LENGTH = 1_000
MAX_ID_LENGTH = 128

State: TypeAlias = Literal[
    "none",
    "staging",
    "comparing",
    "switching",
    "switched",
    "reverting",
    "reverted",
    "cancelled",
    "failed",
]


class ModelChangeRequest(RequestModel):
    """The embedding model that a library moves to."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"model": "wordllama-256"}]})

    model: str = Field(min_length=1, max_length=MAX_MODEL_LENGTH)


class ModelChangeStepRequest(RequestModel):
    """The next step of a change to `model`, if it has the `state`; after the chunk id `after`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "wordllama-256", "state": "staging"}]}
    )

    model: str = Field(min_length=1, max_length=MAX_MODEL_LENGTH)
    state: Literal["staging", "comparing", "switching", "reverting"]
    after: str = Field(default="", max_length=MAX_ID_LENGTH)

    @property
    def wanted(self) -> ModelChangeState:
        return ModelChangeState(self.state)


class ModelChangeStepResponse(ResponseModel):
    """The state after a step; in the same state the next step begins after `after`."""

    state: State
    after: str
    staged: int
    total: int
    error: str | None


class ModelChangeHandleResponse(ResponseModel):
    """A started change of a library's model, and the URLs to follow it."""

    workflow_id: str
    run_id: str
    status_url: str
    temporal_ui_url: str | None


class EmbeddingModelResponse(ResponseModel):
    model: str
    dimension: int


class ModelScoresResponse(ResponseModel):
    """The means of how well a model finds a chunk by a sentence of it, in the first ten hits."""

    recall_at_10: float
    ndcg_at_10: float


class ModelComparisonResponse(ResponseModel):
    """Both models on the same sample of chunks and sentences, by exact search."""

    rows: int
    queries: int
    overlap_at_10: float
    old: ModelScoresResponse
    new: ModelScoresResponse


class ModelChangeResponse(ResponseModel):
    """The last change of a library's model; `none` if there was none.

    `staged` of `total` chunks have an embedding by the model that the library moves to.
    `revertable`: the old embeddings are still there. `waiting_for`, `last_failure` and
    `next_attempt_at` say what keeps a change that is in progress.
    """

    state: State = "none"
    workflow_id: str | None = None
    old: EmbeddingModelResponse | None = None
    new: EmbeddingModelResponse | None = None
    staged: int = 0
    total: int = 0
    comparison: ModelComparisonResponse | None = None
    revertable: bool = False
    waiting_for: Literal["worker"] | None = None
    last_failure: str | None = None
    next_attempt_at: datetime | None = None
    error: str | None = None
    started_at: datetime | None = None
    switched_at: datetime | None = None
    ended_at: datetime | None = None

    @classmethod
    def of(cls, change: ModelChange | None) -> Self:
        if change is None:
            return cls()
        comparison = change.comparison
        return cls(
            state=change.state.value,
            workflow_id=change.workflow_id,
            old=EmbeddingModelResponse(model=change.old_model, dimension=change.old_dimension),
            new=EmbeddingModelResponse(model=change.new_model, dimension=change.new_dimension),
            staged=change.staged,
            total=change.total,
            comparison=comparison and ModelComparisonResponse.model_validate(comparison),
            revertable=change.revertable,
            error=change.error,
            started_at=change.started_at,
            switched_at=change.switched_at,
            ended_at=change.ended_at,
        )
