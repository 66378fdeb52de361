"""The result of a search: hits, the plan, and the position."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.domain.document import Chunk, Document, Embedding


class Hit(NamedTuple):
    """A hit; `document` and `embedding` are set if the request includes them."""

    chunk: Chunk
    score: float
    document: Document | None = None
    embedding: Embedding | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a search.

    `matches`: the number of chunks that pass the filter, `None` without one. `unknown_fields`:
    the filter's fields that no chunk has.
    """

    index: str
    filter: str
    matches: int | None
    exact: bool
    unknown_fields: Sequence[str] = ()


class SearchResult(NamedTuple):
    """The result of a search; `took_ms` counts from the start of the request or the batch."""

    hits: Sequence[Hit]
    plan: Plan
    position: int
    took_ms: float
