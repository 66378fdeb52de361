"""Bodies: from bytes to a checked model, with every fault pointed at.

Parsing and checking is one pass of pydantic's own parser. It is strict JSON but for NaN and
infinities, which it takes so that they can be pointed at: text that isn't JSON (bytes that
aren't UTF-8, a lone surrogate, more than 200 levels) is 400; JSON that breaks a rule is 422.
Of a key given twice the last one counts.
"""

from collections.abc import Collection
from typing import Annotated, TypeVar

from fastapi import Depends, Request, status
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json, to_json
from starlette.exceptions import HTTPException

from api.wire.base import AnyJson
from core.domain.errors import Fault, Invalid
from core.domain.pointers import join

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

M = TypeVar("M", bound=BaseModel)

_ANY_JSON: TypeAdapter[object] = TypeAdapter(AnyJson)


async def json_body(request: Request) -> bytes:
    return await _body(request, {JSON})


async def _patch_body(request: Request) -> bytes:
    return await _body(request, {JSON, MERGE_PATCH})


JsonBody = Annotated[bytes, Depends(json_body)]
PatchBody = Annotated[bytes, Depends(_patch_body)]


async def _body(request: Request, accepted: Collection[str]) -> bytes:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in accepted:
        raise HTTPException(
            status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
            f"The body's Content-Type is to be {' or '.join(sorted(accepted))}.",
        )
    return await request.body()


def parse(model: type[M], body: bytes) -> M:
    """The body as a model.

    Raises:
        HTTPException: 400, it is not JSON.
        Invalid: it is JSON, and breaks the model's rules.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
    if faults[0]["type"] == "json_invalid":
        raise HTTPException(status.HTTP_400_BAD_REQUEST, faults[0]["msg"])
    raise Invalid([_fault(fault) for fault in faults])


def parse_parameter(name: str, text: str) -> object:
    """The JSON in a parameter of a URL.

    Raises:
        Invalid: it is not JSON, or has numbers that are none.
    """
    try:
        return _ANY_JSON.validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
    raise Invalid([_fault({**fault, "loc": (name, *fault["loc"])}) for fault in faults])


def merge(current: M, body: bytes) -> M:
    """`current` with a JSON merge patch (RFC 7396) applied, checked as a whole.

    Raises:
        HTTPException: 400, the patch is not JSON.
        Invalid: the patch is no object, or what comes out breaks the model's rules.
    """
    try:
        patch = from_json(body)
    except ValueError as error:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, f"Invalid JSON: {error}") from error
    if not isinstance(patch, dict):
        raise Invalid.at("", "A merge patch is an object.")
    merged = _merged(current.model_dump(mode="json", exclude_unset=True), patch)
    return parse(type(current), to_json(merged, inf_nan_mode="constants"))


def _merged(target: object, patch: object) -> object:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _fault(fault: ErrorDetails) -> Fault:
    inside: str = fault.get("ctx", {}).get("inside", "")
    return Fault(join("", *fault["loc"]) + inside, fault["msg"])
