"""What a search answers: hits, how they were found, and as of when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.domain.document import Chunk, Document, Embedding


class Hit(NamedTuple):
    """`document` and `embedding` are there if the request includes them."""

    chunk: Chunk
    score: float
    document: Document | None = None
    embedding: Embedding | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the hits were found. `matches`: how many chunks the filter left, if there was one.
    `unknown_fields`: of the filter, which no chunk has."""

    index: str
    filter: str
    matches: int | None
    exact: bool
    unknown_fields: Sequence[str] = ()


class SearchAnswer(NamedTuple):
    """`took_ms` is from when the request came in; in a batch, from when the batch did."""

    hits: Sequence[Hit]
    plan: Plan
    position: int
    took_ms: float
