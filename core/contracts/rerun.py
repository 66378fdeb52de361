"""The findings of a question's stages, from which another question can go on."""

from pydantic import Field

from core.contracts.base import Contract
from core.contracts.query import PreprocessOutput, QueryRequest, RankedChunk


class Found(Contract):
    """The result of the query `found`: the request as it was adjusted, and the stages' outputs.

    `retrieved` has all hits of the search; `prepared` is null before the first stage has ended.
    """

    request: QueryRequest
    prepared: PreprocessOutput | None = None
    retrieved: list[RankedChunk] = Field(default_factory=list)
