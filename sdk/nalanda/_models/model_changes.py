"""Models of changes of a library's embedding model."""

from datetime import datetime
from typing import Literal

from nalanda._models.base import Model

ModelChangeState = Literal[
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


class ModelChangeHandle(Model):
    """A started change of a library's model, and the URLs to follow it."""

    workflow_id: str
    run_id: str
    status_url: str
    temporal_ui_url: str | None = None


class EmbeddingModel(Model):
    model: str
    dimension: int


class ModelScores(Model):
    """The means of how well a model finds a chunk by a sentence of it, in the first ten hits."""

    recall_at_10: float
    ndcg_at_10: float


class ModelComparison(Model):
    """Both models on the same sample of chunks (`rows`) and sentences (`queries`).

    `overlap_at_10`: the mean share of the first ten that both models have.
    """

    rows: int
    queries: int
    overlap_at_10: float
    old: ModelScores
    new: ModelScores


class ModelChange(Model):
    """The last change of a library's model.

    `staged` of `total` chunks have an embedding by the model that the library moves to.
    `revertable`: the old embeddings are still there. `waiting_for`, `last_failure` and
    `next_attempt_at` say what keeps a change that is in progress.
    """

    state: ModelChangeState
    workflow_id: str | None = None
    old: EmbeddingModel | None = None
    new: EmbeddingModel | None = None
    staged: int = 0
    total: int = 0
    comparison: ModelComparison | None = None
    revertable: bool = False
    waiting_for: str | None = None
    last_failure: str | None = None
    next_attempt_at: datetime | None = None
    error: str | None = None
    started_at: datetime | None = None
    switched_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def closed(self) -> bool:
        return self.state not in {"staging", "comparing", "switching", "reverting"}


class ModelChangeStep(Model):
    """The state after a step; in the same state the next step begins after `after`."""

    state: ModelChangeState
    after: str = ""
    staged: int = 0
    total: int = 0
    error: str | None = None
