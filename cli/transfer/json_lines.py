"""A library as JSON Lines: a header, then its documents, then their chunks.

Embeddings are base64 of little-endian float32. A file to import may have its lines in any
order, and no header.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, TypeVar

from cli.transfer import lines, values
from cli.transfer.records import (
    ChunkRecord,
    DocumentRecord,
    ExportedDocument,
    Origin,
    Outline,
    Settings,
    header_of,
    settings_of,
)
from cli.transfer.staging import Staging
from core.domain.errors import Invalid, StorageError

_KINDS = ("document", "chunk")
_FIELDS = {
    "document": {"kind", "id", "title", "source", "metadata"},
    "chunk": {"kind", "id", "document_id", "ordinal", "text", "metadata", "embedding"},
}

T = TypeVar("T")


def write(path: Path, outline: Outline, documents: Iterable[ExportedDocument]) -> None:
    """`documents` are gone through once; their chunks wait in a file beside this one."""
    chunks_path = path.with_name(path.name + ".chunks")
    try:
        with path.open("w+b") as file, chunks_path.open("w+b") as chunks:
            _line(file, {"kind": "library", **header_of(outline)})
            for document, its_chunks in documents:
                _line(file, _document(document))
                for chunk in its_chunks:
                    _line(chunks, _chunk(document.id, chunk))
            chunks.seek(0)
            while piece := chunks.read(1 << 20):
                file.write(piece)
    finally:
        chunks_path.unlink(missing_ok=True)


@contextmanager
def open_(path: Path) -> Iterator["JsonLines"]:
    with closing(lines.numbered(path)) as numbered:
        yield JsonLines(path, numbered)


class JsonLines:
    """`settings` are those of the header; none where the file begins with a document or chunk."""

    total: int | None = None

    def __init__(self, path: Path, numbered: Iterator[tuple[int, str]]) -> None:
        """Raises: StorageError: the first line is neither a header nor a record."""
        self.origin = Origin(path, "line", "line 1")
        self.settings: Settings = {}
        self._numbered = numbered
        number, text = next(numbered, (0, ""))
        if number == 0:
            raise StorageError(f"{path} is empty.")
        first = self._parsed(number, text)
        if first.get("kind") not in _KINDS:
            self.settings = settings_of(first, self.origin)
        else:
            self._numbered = chain([(number, text)], numbered)

    def stage(self, staging: Staging, progress: Callable[[int], None]) -> None:
        """Raises: StorageError."""
        for number, text in self._numbered:
            _Line(self.origin, number, self._parsed(number, text)).stage(staging)
            progress(number)
        staging.finish()

    def _parsed(self, number: int, text: str) -> Mapping[str, Any]:
        where = f"{self.origin.path}: line {number}"
        try:
            record = values.parsed(text)
        except Invalid as invalid:
            raise StorageError(f"{where}: {invalid.faults[0].detail}") from None
        if not isinstance(record, dict):
            raise StorageError(f"{where} is no JSON object: each line is to be one.")
        return record


class _Line:
    def __init__(self, origin: Origin, number: int, record: Mapping[str, Any]) -> None:
        self._origin = origin
        self._number = number
        self._record = record

    def stage(self, staging: Staging) -> None:
        kind = self._record.get("kind")
        if kind == "document":
            staging.add_document(self._number, self._document())
        elif kind == "chunk":
            document_id = self._needed("document_id", values.id_)
            staging.add_chunk(self._number, document_id, self._chunk())
        else:
            raise self._origin.fault(
                self._number, "kind", 'This line is no document and no chunk: say "kind" in it.'
            )
        for name in self._record.keys() - _FIELDS[kind]:
            staging.ignored[name] = None

    def _document(self) -> DocumentRecord:
        return DocumentRecord(
            self._needed("id", values.id_),
            self._value("title", values.title),
            self._value("source", values.title),
            self._value("metadata", values.metadata),
        )

    def _chunk(self) -> ChunkRecord:
        return ChunkRecord(
            self._value("id", values.id_),
            self._value("ordinal", values.ordinal),
            self._needed("text", values.string),
            self._value("metadata", values.metadata),
            self._value("embedding", values.embedding),
        )

    def _value(self, name: str, converted: Callable[[object], T]) -> T:
        try:
            return converted(self._record.get(name))
        except Invalid as invalid:
            self._origin.refuse(self._number, name, invalid)

    def _needed(self, name: str, converted: Callable[[object], T | None]) -> T:
        value = self._value(name, converted)
        if value is None:
            raise self._origin.fault(self._number, name, "This field is required.")
        return value


def _line(file: IO[bytes], record: dict[str, Any]) -> None:
    file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def _document(document: DocumentRecord) -> dict[str, Any]:
    return {
        "kind": "document",
        "id": document.id,
        "title": document.title,
        "source": document.source,
        "metadata": dict(document.metadata),
    }


def _chunk(document_id: str, chunk: ChunkRecord) -> dict[str, Any]:
    assert chunk.embedding is not None
    return {
        "kind": "chunk",
        "id": chunk.id,
        "document_id": document_id,
        "ordinal": chunk.ordinal,
        "text": chunk.text,
        "metadata": dict(chunk.metadata),
        "embedding": b64encode(chunk.embedding.astype("<f4").tobytes()).decode(),
    }
