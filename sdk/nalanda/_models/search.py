"""Models of searches, and of the index that serves them."""

from typing import Any, Literal

from nalanda._models.base import Embedding, Model
from nalanda._models.entities import Place

IndexKind = Literal["auto", "flat", "ivf", "hnsw"]


class Recall(Model):
    """Measured recall of an index.

    `measured`: the mean recall of the last `searches` searches. `worst_tenth`: the mean recall of
    the worst tenth of them; `None` from an older server.
    """

    measured: float
    worst_tenth: float | None = None
    searches: int


class Index(Model):
    """The state of an index.

    `vectors`: searchable vectors. `deleted`: deleted vectors whose space is not free yet. `state`:
    `ready`, `building` or `failed`; `error` has the cause.
    """

    kind: IndexKind
    state: str
    error: str | None = None
    segments: int
    vectors: int
    deleted: int
    memory_bytes: int
    lexical_memory_bytes: int = 0
    recall: Recall | None = None
    parameters: dict[str, Any] = {}


class HitDocument(Model):
    id: str
    title: str | None = None
    source: str | None = None
    metadata: dict[str, Any] = {}


class Hit(Model):
    """A hit; a higher `score` is better for every metric. Fields not in `include` are `None`.

    A hit with its `text` has its `place` too.
    """

    chunk_id: str
    document_id: str
    score: float
    version: int
    text: str | None = None
    place: Place | None = None
    metadata: dict[str, Any] | None = None
    document: HitDocument | None = None
    embedding: Embedding | None = None


class Plan(Model):
    """The execution plan of a search.

    `matches` counts the chunks that passed the filter; `unknown_fields` names the filter's fields
    that no chunk has.
    """

    index: str
    filter: str
    matches: int | None = None
    exact: bool
    unknown_fields: list[str] = []


class SearchResult(Model):
    """The hits of a search at `position`, best first."""

    hits: list[Hit]
    plan: Plan
    position: int
    took_ms: float
