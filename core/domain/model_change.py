"""The change of a library's embedding model, as the record has it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from core.domain.document import Embedding


class ModelChangeState(StrEnum):
    """The state of a change; a library whose model was never changed has none.

    `staging`: the new model embeds the chunks, next to their embeddings. `comparing`: both models
    are compared on a sample. `switching`, `switched`: the new embeddings take the place of the old
    ones. `reverting`, `reverted`: the old ones come back. `cancelled` and `failed` have left the
    library as it was.
    """

    STAGING = "staging"
    COMPARING = "comparing"
    SWITCHING = "switching"
    SWITCHED = "switched"
    REVERTING = "reverting"
    REVERTED = "reverted"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def in_progress(self) -> bool:
        return self in _IN_PROGRESS


_IN_PROGRESS = {
    ModelChangeState.STAGING,
    ModelChangeState.COMPARING,
    ModelChangeState.SWITCHING,
    ModelChangeState.REVERTING,
}


@dataclass(frozen=True, slots=True)
class ModelScores:
    """The means, 0 to 1, of how well a model finds a chunk by a sentence of it, in ten hits."""

    recall_at_10: float
    ndcg_at_10: float


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Both models on the same sample, by exact search.

    `rows`: the chunks searched. `queries`: the sentences searched for. `overlap_at_10`: the mean
    share of the first ten that both models have.
    """

    rows: int
    queries: int
    overlap_at_10: float
    old: ModelScores
    new: ModelScores


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A library's last change of model.

    `staged` of `total` chunks have an embedding by the model that the library moves to.
    `keeps_old`: the old embeddings are still there, so that the change can be reverted.
    `switched_at`: the time of the write that switched or reverted.
    """

    kind: ClassVar[str] = "model_change"
    id: ClassVar[str] = "last"

    library_id: str
    state: ModelChangeState
    workflow_id: str
    old_model: str
    old_dimension: int
    new_model: str
    new_dimension: int
    staged: int
    total: int
    keeps_old: bool
    comparison: ModelComparison | None
    error: str | None
    started_at: datetime
    switched_at: datetime | None
    ended_at: datetime | None

    @property
    def target_model(self) -> str:
        """Return the model that the change moves to, the old one for a revert."""
        return self.old_model if self._reverts else self.new_model

    @property
    def target_dimension(self) -> int:
        return self.old_dimension if self._reverts else self.new_dimension

    @property
    def source_model(self) -> str:
        return self.new_model if self._reverts else self.old_model

    @property
    def revertable(self) -> bool:
        return self.state is ModelChangeState.SWITCHED and self.keeps_old

    @property
    def _reverts(self) -> bool:
        return self.state in {ModelChangeState.REVERTING, ModelChangeState.REVERTED}


@dataclass(frozen=True, slots=True, eq=False)
class StagedEmbedding:
    """A chunk's embedding by a model that the library does not have; `version` is the chunk's."""

    chunk_id: str
    version: int
    embedding: Embedding
