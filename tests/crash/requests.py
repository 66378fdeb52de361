"""Requests for writes, and the choice of a writer's next write."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.crash.model import (
    DIMENSION,
    MATCHING_FROM,
    SHARED,
    WORD,
    Kind,
    Namespace,
    Write,
    matching,
    place_in_batch,
    text_of,
    vector_of,
)

_DOCUMENTS = 8
"""Approximate documents per writer: few, so that deletions are frequent."""
_MOST_CHUNKS = 6


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    body: object = None
    key: str | None = None


def request_of(write: Write, there: Namespace) -> Request:
    """Return the request of a writer that has seen `there`."""
    library = f"/libraries/{write.library}"
    document = f"{library}/documents/{there.document_id(write.library, write.document)}"
    chunk = f"{library}/chunks/{write.chunks[0]}" if write.chunks else ""
    match write.kind:
        case Kind.POST_DOCUMENT:
            return Request("POST", f"{library}/documents", _document(write, own=False), write.key)
        case Kind.PUT_DOCUMENT:
            return Request("PUT", document, _document(write, own=True))
        case Kind.ADD_CHUNKS:
            return Request("POST", f"{document}/chunks", {"chunks": _chunks(write)}, write.key)
        case Kind.PUT_CHUNK:
            i = there.chunks[write.library, write.chunks[0]].i
            body = {"document_id": there.document_id(write.library, write.document)}
            return Request("PUT", chunk, body | _chunk(write, write.chunks[0], i))
        case Kind.PATCH_CHUNK:
            return Request("PATCH", chunk, {"metadata": {"op": write.number}})
        case Kind.REWRITE_CHUNK:
            i = there.chunks[write.library, write.chunks[0]].i
            return Request("PATCH", chunk, _chunk(write, write.chunks[0], i))
        case Kind.PATCH_DOCUMENT:
            return Request("PATCH", document, _titled(write))
        case Kind.DELETE_CHUNK:
            return Request("DELETE", chunk)
        case Kind.DELETE_CHUNKS:
            return Request(
                "POST", f"{library}/chunks/delete", {"ids": list(write.chunks)}, write.key
            )
        case Kind.DELETE_MATCHING:
            return Request("POST", f"{library}/chunks/delete", _matching(write), write.key)
        case Kind.DELETE_DOCUMENT:
            return Request("DELETE", document)
        case Kind.PUT_LIBRARY:
            body = library_body(write.library) | {"metadata": _metadata(write, write.library)}
            return Request("PUT", library, body)
        case Kind.DELETE_LIBRARY:
            return Request("DELETE", library)


def library_body(name: str) -> dict[str, Any]:
    return {"name": name, "dimension": DIMENSION, **SHARED.get(name, {})}


def of_writer(writer: int) -> dict[str, Any]:
    """Return the filter for all chunks of a writer."""
    return {"field": "writer", "op": "eq", "value": writer}


BY_WORD: Mapping[str, str] = {"text": WORD, "mode": "lexical"}
"""A lexical search that hits all chunks."""


class Chooser:
    """A generator of one writer's writes."""

    def __init__(self, writer: int, rng: random.Random) -> None:
        self._writer = writer
        self._rng = rng

    def next(self, number: int, there: Namespace) -> Write:
        """Return a write that changes something."""
        own = f"own-{self._writer}"
        if self._rng.random() < 0.03:
            return self._of_own_library(number, own, there)
        documents = list(there.documents)
        if len(documents) < _DOCUMENTS * self._rng.random() or not documents:
            places = [*SHARED, *there.libraries]
            return self._new_document(number, self._rng.choice(places))
        library, document = self._rng.choice(documents)
        return self._of_document(number, library, document, there)

    def _of_own_library(self, number: int, own: str, there: Namespace) -> Write:
        gone = own in there.libraries and self._rng.random() < 0.5
        kind = Kind.DELETE_LIBRARY if gone else Kind.PUT_LIBRARY
        return Write(number, self._writer, kind, own)

    def _new_document(self, number: int, library: str) -> Write:
        posted = self._rng.random() < 0.5
        kind = Kind.POST_DOCUMENT if posted else Kind.PUT_DOCUMENT
        name = f"{'p' if posted else 'd'}{self._writer}-{number}"
        return Write(number, self._writer, kind, library, name, self._names(number, posted=posted))

    def _of_document(self, number: int, library: str, document: str, there: Namespace) -> Write:
        named = [name for _, name in there.chunks_of(library, document) if name.startswith("c")]
        kinds = [Kind.ADD_CHUNKS, Kind.PATCH_DOCUMENT, Kind.DELETE_DOCUMENT]
        if not document.startswith("p"):
            kinds.append(Kind.PUT_DOCUMENT)
        if named:
            kinds += [Kind.PUT_CHUNK, Kind.PATCH_CHUNK, Kind.REWRITE_CHUNK]
            kinds += [Kind.DELETE_CHUNK, Kind.DELETE_CHUNKS]
        if matching(there, library) and self._rng.random() < 0.3:
            kinds = [Kind.DELETE_MATCHING]
        kind = self._rng.choice(kinds)
        chunks: tuple[str, ...] = ()
        if kind in {Kind.ADD_CHUNKS, Kind.PUT_DOCUMENT}:
            chunks = self._names(number, posted=False)
        elif kind is Kind.DELETE_CHUNKS:
            chunks = tuple(self._rng.sample(named, self._rng.randint(1, len(named))))
        elif kind in {Kind.PUT_CHUNK, Kind.PATCH_CHUNK, Kind.REWRITE_CHUNK, Kind.DELETE_CHUNK}:
            chunks = (self._rng.choice(named),)
        return Write(number, self._writer, kind, library, document, chunks)

    def _names(self, number: int, *, posted: bool) -> tuple[str, ...]:
        count = self._rng.randint(1, _MOST_CHUNKS)
        letter = "p" if posted else "c"
        return tuple(f"{letter}{self._writer}-{number}-{i}" for i in range(count))


def _document(write: Write, *, own: bool) -> dict[str, Any]:
    chunks = _chunks(write)
    if not own:
        for chunk in chunks:
            del chunk["id"]
    return {**_titled(write), "chunks": chunks}


def _titled(write: Write) -> dict[str, Any]:
    metadata = _metadata(write, write.document)
    return {"title": f"Title by write {write.number}", "metadata": metadata}


def _chunks(write: Write) -> list[dict[str, Any]]:
    return [_chunk(write, name, place_in_batch(name), id=name) for name in write.chunks]


def _chunk(write: Write, name: str, i: int, **more: str) -> dict[str, Any]:
    return {
        **more,
        "text": text_of(write.number, i),
        "embedding": vector_of(write.number, i),
        "metadata": {**_metadata(write, name), "i": i},
    }


def _metadata(write: Write, name: str) -> dict[str, Any]:
    return {"born": name, "writer": write.writer, "op": write.number}


def _matching(write: Write) -> dict[str, Any]:
    late = {"field": "i", "op": "gte", "value": MATCHING_FROM}
    return {"filter": {"and": [of_writer(write.writer), late]}}
