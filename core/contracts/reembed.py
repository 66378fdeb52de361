"""The messages of a model change's workflow: ids, names and states, and never a text or a vector.

Where the change is, the API's record says. The workflow asks for its next step until it has ended.
"""

from core.contracts.base import Contract
from core.contracts.query import StageInput, StageOutput
from core.domain.model_change import ModelChangeState


class ReembedRequest(Contract):
    """The workflow's input: the library and the model that it moves to; `revert`: back to it."""

    library_id: str
    model: str
    revert: bool = False
    instance_id: str | None = None


class ReembedResult(Contract):
    """The workflow's result: the last state of the change."""

    state: ModelChangeState


class AdvanceInput(StageInput):
    """The input of an activity, which does all steps of one `state` of the change."""

    library_id: str
    model: str
    state: ModelChangeState


class AdvanceOutput(StageOutput):
    """The state that follows; `error` is why the change has failed."""

    state: ModelChangeState
    error: str | None = None


class AbandonInput(StageInput):
    library_id: str


class AbandonOutput(StageOutput):
    pass
