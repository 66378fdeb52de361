"""Model of the writes, and of the state that they lead to.

Each writer has its own documents and chunks, so its state follows from its own writes in order. The
libraries are shared, except one per writer.
"""

import random
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

DIMENSION = 16
BULK = 0
"""The writer with enough rows for segments."""

SHARED: Mapping[str, Mapping[str, Any]] = {
    "auto": {"metric": "cosine"},
    "hnsw": {"metric": "l2", "index": {"kind": "hnsw", "m": 8}},
    "flat": {"metric": "dot", "index": {"kind": "flat"}},
}
"""The shared libraries by id."""

Key: TypeAlias = tuple[str, str]
"""A library, and the name that a document or a chunk was born with, which its metadata keeps:
it is the id where the client chose it. Names that begin with `p` had their id from the server."""


class Kind(StrEnum):
    POST_DOCUMENT = "post_document"
    PUT_DOCUMENT = "put_document"
    ADD_CHUNKS = "add_chunks"
    PUT_CHUNK = "put_chunk"
    PATCH_CHUNK = "patch_chunk"
    REWRITE_CHUNK = "rewrite_chunk"
    PATCH_DOCUMENT = "patch_document"
    DELETE_CHUNK = "delete_chunk"
    DELETE_CHUNKS = "delete_chunks"
    DELETE_MATCHING = "delete_matching"
    DELETE_DOCUMENT = "delete_document"
    PUT_LIBRARY = "put_library"
    DELETE_LIBRARY = "delete_library"


KEYED = {Kind.POST_DOCUMENT, Kind.ADD_CHUNKS, Kind.DELETE_CHUNKS, Kind.DELETE_MATCHING}
"""Kinds of writes with an idempotency key, which are retried after a crash."""

MATCHING_FROM = 2
"""`DELETE_MATCHING` deletes the writer's chunks of the library whose `i` is at least this."""


@dataclass(frozen=True, slots=True)
class Write:
    """A write; `chunks` are the names that it puts or deletes, in order."""

    number: int
    writer: int
    kind: Kind
    library: str
    document: str = ""
    chunks: tuple[str, ...] = ()

    @property
    def key(self) -> str | None:
        return f"key-{self.number}" if self.kind in KEYED else None


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    op: int
    version: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk with `op` and `i` in its metadata; `vector`: `DIMENSION` little-endian float32."""

    document: str
    ordinal: int
    text: str
    op: int
    i: int
    vector: bytes
    version: int


@dataclass(slots=True)
class Namespace:
    """A writer's state. `libraries`: its own, with the write and version of each; `ids`: those that
    the server assigned to documents.
    """

    libraries: dict[str, tuple[int, int]] = field(default_factory=dict)
    documents: dict[Key, Document] = field(default_factory=dict)
    chunks: dict[Key, Chunk] = field(default_factory=dict)
    ids: dict[Key, str] = field(default_factory=dict)

    def copy(self) -> "Namespace":
        return Namespace(
            dict(self.libraries), dict(self.documents), dict(self.chunks), dict(self.ids)
        )

    def same(self, other: "Namespace") -> bool:
        """Compare without ids, since the other may lack some."""
        return (
            self.libraries == other.libraries
            and self.documents == other.documents
            and self.chunks == other.chunks
        )

    def chunks_of(self, library: str, document: str) -> dict[Key, Chunk]:
        return {
            key: chunk
            for key, chunk in self.chunks.items()
            if key[0] == library and chunk.document == document
        }

    def document_id(self, library: str, document: str) -> str:
        return self.ids.get((library, document), document)


WORD = "part"
"""A word in each text."""


def text_of(op: int, i: int) -> str:
    return f"What write {op} says in its {WORD} {i}."


def vector_of(op: int, i: int) -> list[float]:
    """Return numbers with few digits, which JSON preserves exactly."""
    numbers = random.Random(op * 4099 + i)
    return [round(numbers.gauss(0, 1), 3) for _ in range(DIMENSION)]


def packed(vector: list[float]) -> bytes:
    return struct.pack(f"<{DIMENSION}f", *vector)


def place_in_batch(name: str) -> int:
    """Return a new chunk's `i`, the end of its name."""
    return int(name.rpartition("-")[2])


def apply(there: Namespace, write: Write, version: int) -> None:
    """Apply a write at a position, the version of all rows that it puts."""
    library = write.library
    match write.kind:
        case Kind.POST_DOCUMENT | Kind.PUT_DOCUMENT:
            _remove(there, there.chunks_of(library, write.document))
            _put_document(there, write, version)
            _add(there, write, version)
        case Kind.ADD_CHUNKS:
            _add(there, write, version)
        case Kind.PUT_CHUNK | Kind.PATCH_CHUNK | Kind.REWRITE_CHUNK:
            _edit(there, write, version)
        case Kind.PATCH_DOCUMENT:
            _put_document(there, write, version)
        case Kind.DELETE_CHUNK | Kind.DELETE_CHUNKS:
            _remove(there, {(library, name) for name in write.chunks})
        case Kind.DELETE_MATCHING:
            _remove(there, matching(there, library))
        case Kind.DELETE_DOCUMENT:
            _remove(there, there.chunks_of(library, write.document))
            del there.documents[library, write.document]
        case Kind.PUT_LIBRARY:
            there.libraries[library] = (write.number, version)
        case Kind.DELETE_LIBRARY:
            _remove(there, {key for key in there.chunks if key[0] == library})
            for key in [key for key in there.documents if key[0] == library]:
                del there.documents[key]
            del there.libraries[library]


def matching(there: Namespace, library: str) -> set[Key]:
    return {
        key for key, chunk in there.chunks.items() if key[0] == library and chunk.i >= MATCHING_FROM
    }


def _put_document(there: Namespace, write: Write, version: int) -> None:
    title = f"Title by write {write.number}"
    there.documents[write.library, write.document] = Document(title, write.number, version)


def _add(there: Namespace, write: Write, version: int) -> None:
    """Append chunks after the document's last one."""
    present = there.chunks_of(write.library, write.document).values()
    first = max((chunk.ordinal + 1 for chunk in present), default=0)
    for ordinal, name in enumerate(write.chunks, start=first):
        i = place_in_batch(name)
        there.chunks[write.library, name] = Chunk(
            document=write.document,
            ordinal=ordinal,
            text=text_of(write.number, i),
            op=write.number,
            i=i,
            vector=packed(vector_of(write.number, i)),
            version=version,
        )


def _edit(there: Namespace, write: Write, version: int) -> None:
    """Change a chunk in place; a patch also keeps its text and vector."""
    (name,) = write.chunks
    old = there.chunks[write.library, name]
    patched = write.kind is Kind.PATCH_CHUNK
    there.chunks[write.library, name] = Chunk(
        document=old.document,
        ordinal=old.ordinal,
        text=old.text if patched else text_of(write.number, old.i),
        op=write.number,
        i=old.i,
        vector=old.vector if patched else packed(vector_of(write.number, old.i)),
        version=version,
    )


def _remove(there: Namespace, keys: Mapping[Key, Chunk] | set[Key]) -> None:
    for key in list(keys):
        del there.chunks[key]
