"""Wire models of searches."""

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from orjson import Fragment
from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema

from api.wire.base import VECTOR_SCHEMA, JsonObject, RequestModel, ResponseModel, WireEmbedding
from api.wire.places import PlaceResponse, place_fields
from core.contracts.query import SearchMode
from core.domain.document import Chunk, Document, Embedding
from core.indexing.columns.chunks import ColumnChunk
from core.services.search import request as search_request
from core.services.search.request import MAX_K, PARAMETERS, Grouping, Includable
from core.services.search.service import Hit, SearchResult

MAX_SEARCHES = 100

_SHOWN: tuple[Includable, ...] = ("text", "metadata")


def parameter(name: str, description: str | None = None) -> Any:
    """Return the field of an optional search parameter, with its bounds."""
    low, high = PARAMETERS[name]
    return Field(default=None, ge=low, le=high, description=description)


class SearchParametersRequest(RequestModel):
    """Search parameters of approximate indexes: `ef`, `nprobe` or a target recall.

    An exact search ignores them.
    """

    ef: int | None = parameter("ef")
    nprobe: int | None = parameter("nprobe")
    target_recall: float | None = parameter("target_recall")


class WeightsRequest(RequestModel):
    """The weights of the two halves of a hybrid search, relative to their sum."""

    vector: float = Field(ge=0, le=1)
    lexical: float = Field(ge=0, le=1)


class SearchRequest(RequestModel):
    """A search by embedding or by text.

    The library's model embeds the text. The modes `lexical` and `hybrid` require a text; `hybrid`
    also accepts an embedding.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "text": "attention",
                    "k": 3,
                    "filter": {"field": "year", "op": "gte", "value": 2017},
                    "include": ["text", "document"],
                }
            ]
        }
    )

    embedding: WireEmbedding | None = None
    embedding_model: str | None = Field(
        default=None,
        max_length=1_000,
        description="The model of the embedding; 422 if the library has another one.",
    )
    text: str | None = Field(default=None, max_length=100_000)
    k: int = Field(default=10, ge=1, le=MAX_K)
    mode: SearchMode = "vector"
    filter: JsonObject | None = None
    exact: bool = False
    parameters: SearchParametersRequest | None = None
    include: list[Includable] = Field(default_factory=lambda: list(_SHOWN), max_length=16)
    group_by: Grouping | None = None
    weights: WeightsRequest | None = None

    def request(self, library: str) -> search_request.SearchRequest:
        parameters = self.parameters.model_dump(exclude_none=True) if self.parameters else {}
        return search_request.SearchRequest(
            library=library,
            embedding=self.embedding,
            embedding_model=self.embedding_model,
            text=self.text,
            k=self.k,
            mode=self.mode,
            filter=self.filter,
            exact=self.exact,
            parameters=parameters,
            include=self.include,
            group_by=self.group_by,
            weights=self.weights.model_dump() if self.weights else None,
        )


class SearchBatchRequest(RequestModel):
    """Searches that all run on the same state."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"searches": [{"text": "attention"}, {"text": "memory"}]}]}
    )

    split = "searches"
    item = SearchRequest
    max_items = MAX_SEARCHES

    searches: list[SearchRequest] = Field(min_length=1, max_length=MAX_SEARCHES)


class HitDocument(ResponseModel):
    id: str
    title: str | None
    source: str | None
    metadata: dict[str, Any]


class HitResponse(ResponseModel):
    """A hit, with the fields that `include` names; its `place` comes with its `text`.

    A higher `score` is better in every mode and metric.
    """

    chunk_id: str
    document_id: str
    version: int
    score: float
    text: str | None = None
    place: PlaceResponse | None = None
    metadata: dict[str, Any] | None = None
    document: HitDocument | None = None
    embedding: Annotated[
        Embedding | None, PlainValidator(lambda row: row), WithJsonSchema(VECTOR_SCHEMA)
    ] = None


class PlanResponse(ResponseModel):
    """The execution plan of a search.

    `matches` counts the chunks that passed the filter; `unknown_fields` names the filter's fields
    that no chunk has.
    """

    index: str
    filter: str
    matches: int | None = None
    exact: bool
    unknown_fields: list[str] | None = None


class SearchResponse(ResponseModel):
    """The hits of a search at `position`, best first, ties in order of chunk id."""

    hits: list[HitResponse]
    plan: PlanResponse
    position: int
    took_ms: float


class SearchBatchResponse(ResponseModel):
    results: list[SearchResponse]


# Hand-written serialisation: it is most of the cost of a search over HTTP.


class SearchContent(TypedDict):
    """A `SearchResponse` as plain values."""

    hits: list[dict[str, Any]]
    plan: dict[str, object]
    position: int
    took_ms: float


def search_response(result: SearchResult, include: Sequence[str]) -> SearchContent:
    plan = result.plan
    shown: dict[str, object] = {"index": plan.index, "filter": plan.filter, "exact": plan.exact}
    if plan.matches is not None:
        shown["matches"] = plan.matches
    if plan.unknown_fields:
        shown["unknown_fields"] = list(plan.unknown_fields)
    return {
        "hits": [_hit(hit, include) for hit in result.hits],
        "plan": shown,
        "position": result.position,
        "took_ms": round(result.took_ms, 3),
    }


def _hit(hit: Hit, include: Sequence[str]) -> dict[str, Any]:
    chunk = hit.chunk
    shown: dict[str, Any] = {
        "chunk_id": chunk.id,
        "document_id": chunk.document_id,
        "version": chunk.version,
        "score": hit.score,
    }
    if "text" in include:
        shown["text"] = chunk.text
        shown["place"] = place_fields(chunk.place)
    if "metadata" in include:
        shown["metadata"] = _metadata(chunk)
    if hit.document is not None:
        shown["document"] = _document(hit.document)
    if hit.embedding is not None:
        shown["embedding"] = hit.embedding
    return shown


def _metadata(chunk: Chunk) -> object:
    # Columns have JSON, which need not be parsed to be sent.
    return Fragment(chunk.metadata_json) if isinstance(chunk, ColumnChunk) else chunk.metadata


def _document(document: Document) -> dict[str, object]:
    return {
        "id": document.id,
        "title": document.title,
        "source": document.source,
        "metadata": document.metadata,
    }
