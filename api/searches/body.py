"""Parsing of the body of an ordinary search by vector, several times as fast as by its model.

The embedding is read by a kernel into an array, without an object for each number, and the rest of
the body by a JSON parser. The model, `api.wire.search.SearchRequest`, says what a search may have;
this parser takes a subset, so that all faults are the model's to describe.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import orjson

from api.http.bodies.binary import split
from api.searches.limits import MAX_EVENT_LOOP_HITS
from core.domain import vectors
from core.domain.document import Embedding
from core.domain.errors import Invalid
from core.services.search.request import INCLUDABLE, PARAMETERS, SearchRequest

NUMBER_BYTES = 4

_MAX_NAME, _MAX_INCLUDED = 1_000, 16
_NAME = b'"embedding"'
_KEY = _NAME + b":"
_ENDS = {b"[": b"]", b'"': b'"'}

Read: TypeAlias = Callable[[bytes, int, int], Embedding | None]


class _Cut(NamedTuple):
    """An embedding, and the body with `null` in its place."""

    embedding: Embedding
    rest: bytes


def parse_vector_search(library: str, body: bytes, *, compiled: bool) -> SearchRequest | None:
    """Return the search that a body asks for, or `None` if the model has to decide.

    `compiled`: the kernels can be used.
    """
    cut = _cut(body) if compiled else None
    try:
        fields = orjson.loads(body if cut is None else cut.rest)
    except orjson.JSONDecodeError:
        return None
    if type(fields) is not dict:
        return None
    embedding = _embedding(fields.pop("embedding", None), cut)
    return None if embedding is None else _search(library, embedding, fields)


def parse_binary_search(library: str, body: bytes) -> SearchRequest | None:
    """Return the search of a binary body, or `None` if the model has to decide."""
    parts = split(body)
    if parts is None or not parts[1] or len(parts[1]) % NUMBER_BYTES:
        return None
    try:
        fields = orjson.loads(parts[0])
    except orjson.JSONDecodeError:
        return None
    if type(fields) is not dict:
        return None
    return _search(library, np.frombuffer(parts[1], "<f4").astype(np.float32), fields)


def _search(library: str, embedding: Embedding, fields: Mapping[str, Any]) -> SearchRequest | None:
    for name, value in fields.items():
        accepts = _FIELDS.get(name)
        if accepts is None or not accepts(value):
            return None
    return SearchRequest(library, embedding, **fields)


def _cut(body: bytes) -> _Cut | None:
    """Cut the first embedding out of a body; `None` if there is none that a kernel can read."""
    start = body.find(_KEY) + len(_KEY)
    if start < len(_KEY):
        return None
    if body[start : start + 1] == b" ":
        start += 1
    opening = body[start : start + 1]
    end = body.find(_ENDS.get(opening, b"]"), start + 1)
    read = _readers().get(opening)
    if read is None or end < 0:
        return None
    embedding = read(body, start + 1, end)
    if embedding is None:
        return None
    return _Cut(embedding, body[:start] + b"null" + body[end + 1 :])


@cache
def _readers() -> Mapping[bytes, Read]:
    # Importing numba takes a second; it has been imported when the kernels are compiled.
    from core.indexing.vectors.embedding_text import base64_in, numbers_in

    return {b"[": numbers_in, b'"': base64_in}


def _embedding(value: object, cut: _Cut | None) -> Embedding | None:
    """Return the embedding of a body, whose member `embedding` has the value that remains of it."""
    if cut is not None:
        # The name may occur again, also with escapes, or be that of a member of another one.
        is_only = value is None and cut.rest.count(_NAME) == 1 and b"\\" not in cut.rest
        return cut.embedding if is_only else None
    try:
        match value:
            case list():
                return vectors.from_numbers(value, "")
            case str():
                return vectors.decode_base64(value, "")
    except Invalid:
        pass
    return None


def _is_k(value: object) -> bool:
    return type(value) is int and 1 <= value <= MAX_EVENT_LOOP_HITS


def _is_include(value: object) -> bool:
    return (
        type(value) is list
        and len(value) <= _MAX_INCLUDED
        and all(each in INCLUDABLE for each in value)
    )


def _are_parameters(value: object) -> bool:
    return type(value) is dict and all(map(_is_parameter, value, value.values()))


def _is_parameter(name: str, value: object) -> bool:
    bounds = PARAMETERS.get(name)
    kind = float if name == "target_recall" else int
    return bounds is not None and type(value) is kind and bounds[0] <= value <= bounds[1]


_FIELDS: Mapping[str, Callable[[object], bool]] = {
    "k": _is_k,
    "include": _is_include,
    "parameters": _are_parameters,
    "exact": lambda value: type(value) is bool,
    "mode": lambda value: value == "vector",
    "embedding_model": lambda value: type(value) is str and len(value) <= _MAX_NAME,
}
"""The fields that the parser takes, each with the values that it takes."""
