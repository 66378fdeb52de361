"""The messages that steer a question: the review of its hits, and changes of its parameters."""

from typing import Annotated, Any, Literal

from pydantic import Field

from core.contracts.base import Contract
from core.contracts.query import SearchMode

Decision = Literal["approve", "reject"]

MAX_REVIEW_TIMEOUT_S = 365 * 86_400.0

MAX_REVIEWS = 5
"""Reviews of one question: the first, and one after each search for another question."""

MAX_CANDIDATES = 1000
MAX_KEPT = 100


class Review(Contract):
    """The update `review`: what a reviewer decides about the offered chunks.

    `drop` and `pin` have ids of offered chunks: dropped ones are not answered from, and pinned ones
    come first. `query` is searched for in place of the question; `reject` then asks for a review
    of what is found, and `approve` answers from it.
    """

    decision: Decision
    drop: list[str] = Field(default_factory=list)
    pin: list[str] = Field(default_factory=list)
    query: str | None = None


class Adjustment(Contract):
    """The signal and the update `adjust`: the parameters that are given replace the question's.

    `k`, `mode` and `filter` are read by the stage `retrieve`, and `top_n` by `rerank`.
    """

    k: Annotated[int, Field(ge=1, le=MAX_CANDIDATES)] = 40
    top_n: Annotated[int, Field(ge=1, le=MAX_KEPT)] = 5
    mode: SearchMode = "hybrid"
    filter: dict[str, Any] | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """Return the given parameters by name."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}
