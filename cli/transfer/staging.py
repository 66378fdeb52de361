"""Staging of a file's records: all are checked and ordered before the first is sent.

Chunks wait in an anonymous temporary file, which the system deletes. Documents, chunk ids and
offsets are in memory.
"""

import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from struct import Struct
from typing import IO, Protocol

import numpy as np
import orjson

from cli.transfer.records import ChunkRecord, DocumentRecord, Origin, Settings
from cli.transfer.rules import Rules
from core.backup import files
from core.domain.errors import Invalid
from nalanda import Place

_HEAD = Struct("<qII")
"""A chunk's number, and the sizes of its JSON and its embedding, which follow."""

_LAST = 2**63 - 1
"""Ordinal of a chunk without one: after all others, in the file's order."""

_METADATA_WEIGHT = 8
_SHARED = ("title", "source", "metadata")


@dataclass(frozen=True, slots=True)
class StagedChunk:
    """A chunk; `number` is its row or line, and `weight` bounds its bytes and values in a body."""

    number: int
    record: ChunkRecord
    weight: int


@dataclass(slots=True)
class _Places:
    """The places of a document's chunks; `number` is the first of their rows or lines."""

    number: int
    ordinals: "array[int]" = field(default_factory=lambda: array("q"))
    offsets: "array[int]" = field(default_factory=lambda: array("q"))

    def in_order(self) -> Iterable[int]:
        pairs = zip(self.ordinals, self.offsets, strict=True)
        return [offset for _, offset in sorted(pairs)]


@dataclass(frozen=True, slots=True)
class StagedDocument:
    """A document; `number` is the first row or line that names it."""

    number: int
    record: DocumentRecord
    _staging: "Staging"

    def chunks(self) -> Iterator[StagedChunk]:
        """Yield the chunks one by one, from the file at each call."""
        return self._staging.chunks_of(self.record.id)


@contextmanager
def open_staging(origin: Origin, rules: Rules) -> Iterator["Staging"]:
    folder = Path(tempfile.gettempdir())
    with ExitStack() as stack:
        with files.file_errors(folder):
            file = stack.enter_context(tempfile.TemporaryFile(prefix="nalanda-import-"))
        yield Staging(origin, rules, file, folder)


class Reader(Protocol):
    """An open file; `total` is its number of records, if known."""

    origin: Origin
    settings: Settings
    total: int | None

    def stage(self, staging: "Staging", progress: Callable[[int], None]) -> None:
        """Stage all records.

        Raises:
            StorageError: a record is invalid.
        """


class Staging:
    """The records of a file; methods that add one raise `StorageError` if it breaks a rule."""

    def __init__(self, origin: Origin, rules: Rules, file: IO[bytes], folder: Path) -> None:
        self.origin = origin
        self.chunks = 0
        self._ignored: dict[str, None] = {}
        self._rules = rules
        self._file = file
        self._folder = folder  # a name for errors: the temporary file has none
        self._end = 0
        self._documents: dict[str, tuple[int, DocumentRecord]] = {}
        self._places: dict[str, _Places] = {}
        self._numbers: dict[str, int] = {}

    @property
    def ignored(self) -> Sequence[str]:
        """Return the fields that Nalanda does not know, in the file's order."""
        return list(self._ignored)

    def ignore(self, names: Iterable[str]) -> None:
        self._ignored.update(dict.fromkeys(names))

    def add_document(self, number: int, record: DocumentRecord) -> None:
        first, _ = self._documents.setdefault(record.id, (number, record))
        if first != number:
            detail = f"{self.origin.unit} {first} already has the document {record.id!r}."
            raise self.origin.fault(number, "id", detail)

    def merge_document(self, number: int, record: DocumentRecord) -> None:
        """Add a document, or the fields that earlier rows of the document lack."""
        first, known = self._documents.setdefault(record.id, (number, record))
        for name in _SHARED:
            here, there = getattr(record, name), getattr(known, name)
            if there in (None, {}):
                known = replace(known, **{name: here})
            elif here not in (None, {}) and here != there:
                detail = (
                    f"{self.origin.unit} {first} has another value for the document {record.id!r}."
                )
                raise self.origin.fault(number, self.origin.document_prefix + name, detail)
        self._documents[record.id] = first, known

    def add_chunk(self, number: int, document_id: str, chunk: ChunkRecord) -> None:
        """Add a chunk, whose document may follow later."""
        try:
            self._rules.check(chunk)
        except Invalid as invalid:
            self.origin.refuse(number, "", invalid)
        if chunk.id is not None:
            first = self._numbers.setdefault(chunk.id, number)
            if first != number:
                detail = f"{self.origin.unit} {first} already has the id {chunk.id!r}."
                raise self.origin.fault(number, "id", detail)
        places = self._places.get(document_id)
        if places is None:
            places = self._places[document_id] = _Places(number)
        places.ordinals.append(_LAST if chunk.ordinal is None else chunk.ordinal)
        places.offsets.append(self._end)
        self._write(number, chunk)
        self.chunks += 1

    def finish(self) -> None:
        """Check that each chunk's document is in the file.

        Raises:
            StorageError: a chunk's document is not in the file.
        """
        with files.file_errors(self._folder):
            self._file.flush()
        for document_id, places in self._places.items():
            if document_id not in self._documents:
                detail = f"The file has no document {document_id!r}: add its line."
                raise self.origin.fault(places.number, "document_id", detail)

    def documents(self) -> Iterator[StagedDocument]:
        for number, record in self._documents.values():
            yield StagedDocument(number, record, self)

    def chunks_of(self, document_id: str) -> Iterator[StagedChunk]:
        places = self._places.get(document_id)
        for offset in places.in_order() if places else ():
            yield self._read(offset)

    def _write(self, number: int, chunk: ChunkRecord) -> None:
        # orjson is exact here: integers have at most 64 bits, and no number is NaN.
        place = chunk.place and chunk.place.model_dump(mode="json")
        head = orjson.dumps([chunk.id, chunk.text, chunk.metadata, place])
        embedding = b"" if chunk.embedding is None else chunk.embedding.tobytes()
        packed = _HEAD.pack(number, len(head), len(embedding)) + head + embedding
        with files.file_errors(self._folder):
            self._file.write(packed)
        self._end += len(packed)

    def _read(self, offset: int) -> StagedChunk:
        self._file.seek(offset)
        number, json_bytes, embedding_bytes = _HEAD.unpack(self._file.read(_HEAD.size))
        id_, text, metadata, place = orjson.loads(self._file.read(json_bytes))
        packed = self._file.read(embedding_bytes)
        embedding = np.frombuffer(packed, np.float32) if packed else None
        at = None if place is None else Place.model_validate(place)
        record = ChunkRecord(id_, None, text, metadata, embedding, at)
        outside_text = json_bytes - len(text)
        weight = json_bytes + _METADATA_WEIGHT * outside_text + 4 * embedding_bytes // 3
        return StagedChunk(number, record, weight)
