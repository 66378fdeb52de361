"""The digest of a state: a sum of hashes over its rows, in any order.

The sum is that of AdHash (Bellare and Micciancio, "A new paradigm for collision-free hashing",
1997), with four 64-bit numbers a row. It depends neither on segments nor on the way that led to the
state. States that differ by faults have one sum with a probability of 2**-256. It is no defence
against someone who chooses rows for their hashes.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from hashlib import sha256
from operator import attrgetter
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.domain.document import Chunk, Document, EmbeddedChunk
from core.domain.library import Library
from core.domain.place import Place

LANES = 4

Hashes: TypeAlias = NDArray[np.uint64]
"""`(n, 4) uint64`: the SHA-256 of each row, as little-endian numbers."""
Sum: TypeAlias = NDArray[np.uint64]
"""`(4,) uint64`: a sum of hashes, modulo 2**64 each."""

_CHUNK, _DOCUMENT = (
    attrgetter(*(field.name for field in fields(kind))) for kind in (Chunk, Document)
)
_PLACE = attrgetter("title", "headings", "page", "box", "line")


def zero() -> Sum:
    return np.zeros(LANES, np.uint64)


def sum_of(hashes: Hashes) -> Sum:
    total: Sum = hashes.sum(axis=0, dtype=np.uint64)
    return total


def to_hex(total: Sum) -> str:
    """Return a digest as 64 hexadecimal digits."""
    return total.astype("<u8").tobytes().hex()


def chunk_hashes(rows: Iterable[EmbeddedChunk]) -> Hashes:
    return _hashes(map(_chunk, rows))


def document_hashes(documents: Iterable[Document]) -> Hashes:
    return _hashes(_json("document", _DOCUMENT(document)) for document in documents)


def library_hashes(libraries: Iterable[Library]) -> Hashes:
    return _hashes(_json("library", asdict(library)) for library in libraries)


def _hashes(contents: Iterable[bytes]) -> Hashes:
    digests = b"".join(sha256(content).digest() for content in contents)
    return np.frombuffer(digests, "<u8").reshape(-1, LANES).astype(np.uint64)


def _chunk(row: EmbeddedChunk) -> bytes:
    *values, place = _CHUNK(row.chunk)
    embedding = np.ascontiguousarray(row.embedding, "<f4").tobytes()
    # The JSON ends where its brackets do, so no two rows are written alike.
    return _json("chunk", [*values, _place(place)]) + embedding


def _place(place: Place | None) -> Sequence[object] | None:
    """Return the values of a place; one without `boxes` has the digest of before there were any."""
    if place is None:
        return None
    return [*_PLACE(place), *map(asdict, place.boxes)]


def _json(kind: str, values: object) -> bytes:
    text = json.dumps([kind, values], sort_keys=True, separators=(",", ":"), default=_plain)
    return text.encode()


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else dict(value)  # type: ignore[call-overload]
