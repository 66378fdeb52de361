"""Base of the wire models: strict about requests, complete in responses."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from core.domain import vectors
from core.domain.document import Embedding
from core.domain.errors import Fault, Invalid
from core.domain.library import Json
from core.domain.pointers import join

MAX_LIMIT = 1000
"""Maximum number of items in a page of a listing."""

_INTEGERS = range(-(2**63), 2**64)


class RequestModel(BaseModel):
    """A request body; unknown fields and values of another type are errors."""

    model_config = ConfigDict(extra="forbid", strict=True)

    split: ClassVar[str | None] = None
    """Field whose items, each an `item`, the parser takes one by one in a large body."""
    item: ClassVar[type["RequestModel"] | None] = None
    max_items: ClassVar[int] = 100_000
    has_texts: ClassVar[bool] = False
    """True if its `text` fields are whole chunks or documents, limited by the body's size alone."""


class ResponseModel(BaseModel):
    """A response body, built from the attributes of domain objects."""

    model_config = ConfigDict(from_attributes=True)


class EntityResponse(ResponseModel, ABC):
    """An entity; `version` is the position of its last write, and its ETag."""

    id: str
    version: int

    @property
    @abstractmethod
    def path(self) -> str:
        """Return the path of the entity, for `Location`."""


def _as_error(invalid: Invalid) -> PydanticCustomError:
    """Convert a domain fault to pydantic's error; `inside` is the fault's path below the value."""
    fault = invalid.faults[0]
    return PydanticCustomError(
        "rule", "{detail}", {"detail": fault.detail, "inside": fault.pointer}
    )


def _check_json(value: Json) -> Json:
    if fault := next(_number_faults(value, ""), None):
        raise _as_error(Invalid([fault]))
    return value


def _number_faults(value: Json, pointer: str) -> Iterator[Fault]:
    """Yield the numbers that JSON or a column cannot hold."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _number_faults(inner, join(pointer, key))
        case list():
            for index, inner in enumerate(value):
                yield from _number_faults(inner, join(pointer, index))
        case float() if not math.isfinite(value):
            yield Fault(pointer, "A number must be finite.")
        case int() if value not in _INTEGERS:
            yield Fault(pointer, "An integer must have at most 64 bits.")


def _scalar(value: object) -> object:
    if isinstance(value, dict | list | None):
        raise PydanticCustomError("rule", "This must be a string, a number or a boolean.")
    return value


def _embedding(value: object) -> Embedding:
    try:
        match value:
            case list():
                return vectors.from_numbers(value, "")
            case str():
                return vectors.decode_base64(value, "")
    except Invalid as invalid:
        raise _as_error(invalid) from None
    raise PydanticCustomError("rule", "An embedding must be a list of numbers or a base64 string.")


AnyJson: TypeAlias = Annotated[Any, AfterValidator(_check_json)]
JsonObject: TypeAlias = Annotated[dict[str, Any], AfterValidator(_check_json)]
Scalar: TypeAlias = Annotated[
    AnyJson,
    AfterValidator(_scalar),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]

VECTOR_SCHEMA: dict[str, Any] = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 1,
    "maxItems": vectors.MAX_DIMENSION,
}
WireEmbedding: TypeAlias = Annotated[
    Embedding,
    PlainValidator(_embedding),
    WithJsonSchema(
        {
            "anyOf": [
                VECTOR_SCHEMA,
                {"type": "string", "format": "byte", "description": "float32, little-endian"},
            ]
        }
    ),
]
"""A list of numbers, or base64 of little-endian float32; checked in C, not number by number."""
