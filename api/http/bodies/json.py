"""Parsing of bodies into validated models, with a JSON pointer to every fault.

pydantic's parser parses and validates in one pass. The parser accepts strict JSON plus NaN and
infinities, so that faults can point at them. Text that is not JSON (invalid UTF-8, a lone
surrogate, more than 200 levels) gives 400; JSON that breaks a rule gives 422. The last of several
equal keys counts.

A scan (`scan.py`) first measures a large body, whose items are then parsed one by one. A
parser holds the GIL while it runs, and the event loop needs the GIL.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Annotated, TypeVar

from fastapi import Depends, Request, status
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json, to_json
from starlette.exceptions import HTTPException

from api.http.bodies.scan import Scan
from api.http.errors import MAX_FAULTS
from api.wire.base import AnyJson, RequestModel
from core.domain.errors import Fault, Invalid
from core.domain.pointers import join

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

SCANNED_BYTES = 64 * 1024
"""Size from which a body is scanned before parsing."""

M = TypeVar("M", bound=RequestModel)

_ANY_JSON: TypeAdapter[object] = TypeAdapter(AnyJson)


async def json_body(request: Request) -> bytes:
    return await _body(request, {JSON})


async def json_or_other_body(request: Request, other: str) -> bytes | None:
    """Return a body in JSON, or `None` if its media type is `other`.

    Raises:
        HTTPException: 415, the body is neither, or compressed.
    """
    if _media_type(request) == other:
        _check_encoding(request)
        return None
    return await _body(request, {JSON, other})


async def _patch_body(request: Request) -> bytes:
    return await _body(request, {JSON, MERGE_PATCH})


JsonBody = Annotated[bytes, Depends(json_body)]
PatchBody = Annotated[bytes, Depends(_patch_body)]


async def _body(request: Request, accepted: Collection[str]) -> bytes:
    if _media_type(request) not in accepted:
        raise HTTPException(
            status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type must be {' or '.join(sorted(accepted))}.",
        )
    _check_encoding(request)
    return await request.body()


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _check_encoding(request: Request) -> None:
    """Check that the body is not compressed.

    Raises:
        HTTPException: 415, the body is compressed.
    """
    listed = ",".join(request.headers.getlist("content-encoding")).split(",")
    codings = {coding.strip().lower() for coding in listed} - {"", "identity"}
    if codings:
        raise HTTPException(
            status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
            "Compressed bodies are not supported: send the body without Content-Encoding.",
            {"Accept-Encoding": "identity"},
        )


def parse(model: type[M], body: bytes) -> M:
    """Parse the body as a model.

    Raises:
        HTTPException: 400, the body is not JSON.
        Invalid: the JSON breaks the model's rules.
    """
    if len(body) > SCANNED_BYTES:
        edges = Scan(body, model.split, model.max_items, model.has_texts).run()
        if edges:
            return _parse_split(model, body, edges)
    return _parse(model, body)


def _parse_split(model: type[M], body: bytes, edges: Sequence[int]) -> M:
    assert model.split is not None
    assert model.item is not None
    outside = _from_json(body[: edges[0] + 1] + body[edges[-1] :])
    inner = [body[left + 1 : right] for left, right in pairwise(edges)]
    if len(inner) == 1 and not inner[0].strip():
        inner = []
    items: list[RequestModel] = []
    faults: list[Fault] = []
    for index, item in enumerate(inner):
        try:
            items.append(_parse(model.item, item))
        except Invalid as invalid:
            above = join("", model.split, index)
            faults += [Fault(above + fault.pointer, fault.detail) for fault in invalid.faults]
            if len(faults) >= MAX_FAULTS:
                break
    if faults:
        raise Invalid(faults)
    try:
        return model.model_validate({**outside, model.split: items})
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    raise Invalid([_fault(detail) for detail in details])


def _from_json(body: bytes) -> dict[str, object]:
    try:
        parsed: dict[str, object] = from_json(body)
    except ValueError as error:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, f"Invalid JSON: {error}") from error
    return parsed


def _parse(model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    if details[0]["type"] == "json_invalid":
        raise HTTPException(status.HTTP_400_BAD_REQUEST, details[0]["msg"])
    raise Invalid([_fault(detail) for detail in details])


def parse_parameter(name: str, text: str) -> object:
    """Parse the JSON in a query parameter.

    Raises:
        Invalid: the text is not JSON, or has a number that is not finite.
    """
    try:
        return _ANY_JSON.validate_json(text)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    raise Invalid([_fault({**detail, "loc": (name, *detail["loc"])}) for detail in details])


def merge(current: M, body: bytes) -> M:
    """Apply a JSON merge patch (RFC 7396) to `current`, and validate the result.

    Raises:
        HTTPException: 400, the patch is not JSON.
        Invalid: the patch is not an object, or the result breaks the model's rules.
    """
    if len(body) > SCANNED_BYTES:
        Scan(body, None).run()
    patch: object = _from_json(body)
    if not isinstance(patch, dict):
        raise Invalid.at("", "A merge patch must be a JSON object.")
    merged = _merge(current.model_dump(mode="json", exclude_unset=True), patch)
    return parse(type(current), to_json(merged, inf_nan_mode="constants"))


def _merge(target: object, patch: object) -> object:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged


def _fault(detail: ErrorDetails) -> Fault:
    inside: str = detail.get("ctx", {}).get("inside", "")
    return Fault(join("", *detail["loc"]) + inside, detail["msg"])
