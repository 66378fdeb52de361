"""What all wire models have in common: strict on the way in, complete on the way out."""

import math
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from core.domain import vectors
from core.domain.document import Embedding
from core.domain.errors import Fault, Invalid
from core.domain.library import Json
from core.domain.pointers import join

_INTEGERS = range(-(2**63), 2**64)


class Body(BaseModel):
    """A body: no field that it does not name, and no value taken for another type's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    split: ClassVar[str | None] = None
    """The list whose items, each an `item`, are parsed one by one where the body is large."""
    item: ClassVar[type["Body"] | None] = None
    max_items: ClassVar[int] = 100_000
    has_texts: ClassVar[bool] = False
    """True if a `text` in it is a chunk's or document's, which no limit but the body's bounds."""


class Answer(BaseModel):
    """What the server says; made from the domain's objects by their attributes."""

    model_config = ConfigDict(from_attributes=True)


class EntityAnswer(Answer):
    """`version` is the position of the entity's last write, and its ETag."""

    id: str
    version: int


def _as_error(invalid: Invalid) -> PydanticCustomError:
    """A domain's fault as pydantic's; `inside` is where below the value it is."""
    fault = invalid.faults[0]
    return PydanticCustomError(
        "rule", "{detail}", {"detail": fault.detail, "inside": fault.pointer}
    )


def _checked_json(value: Json) -> Json:
    if fault := next(_number_faults(value, ""), None):
        raise _as_error(Invalid([fault]))
    return value


def _number_faults(value: Json, pointer: str) -> Iterator[Fault]:
    """Numbers that no JSON, or no column, can hold."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _number_faults(inner, join(pointer, key))
        case list():
            for index, inner in enumerate(value):
                yield from _number_faults(inner, join(pointer, index))
        case float() if not math.isfinite(value):
            yield Fault(pointer, "A number is finite.")
        case int() if value not in _INTEGERS:
            yield Fault(pointer, "An integer has at most 64 bits.")


def _scalar(value: object) -> object:
    if isinstance(value, dict | list | None):
        raise PydanticCustomError("rule", "This is a string, a number or a boolean.")
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
    raise PydanticCustomError("rule", "An embedding is a list of numbers or a base64 string.")


AnyJson: TypeAlias = Annotated[Any, AfterValidator(_checked_json)]
JsonObject: TypeAlias = Annotated[dict[str, Any], AfterValidator(_checked_json)]
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
