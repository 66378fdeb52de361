"""A library as JSON Lines: a header, then its documents, then their chunks.

Embeddings are base64 of little-endian float32. The chunks may be in any order: they are found
again by their places in the file, which alone are held in memory.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from cli.transfer.records import (
    ChunkRecord,
    DocumentRecord,
    Outline,
    header_of,
    settings_of,
)
from core.domain.errors import StorageError


def write(path: Path, outline: Outline, documents: Iterable[DocumentRecord]) -> None:
    """`documents` are gone through once; their chunks wait in a file beside this one."""
    chunks_path = path.with_name(path.name + ".chunks")
    try:
        with path.open("w+b") as file, chunks_path.open("w+b") as chunks:
            _line(file, {"kind": "library", **header_of(outline)})
            for document in documents:
                _line(file, _document(document))
                for chunk in document.chunks:
                    _line(chunks, _chunk(document.id, chunk))
            chunks.seek(0)
            while piece := chunks.read(1 << 20):
                file.write(piece)
    finally:
        chunks_path.unlink(missing_ok=True)


@contextmanager
def open_(path: Path) -> Iterator["JsonLines"]:
    with path.open("rb") as file:
        yield JsonLines(path, file)


class JsonLines:
    def __init__(self, path: Path, file: IO[bytes]) -> None:
        """Goes through the file once. Raises: StorageError."""
        self._path = path
        self._file = file
        self._documents: dict[str, DocumentRecord] = {}
        self._places: dict[str, list[int]] = {}
        name, settings = settings_of(self._parsed(1, file.readline()), path)
        self._index()
        chunks = sum(map(len, self._places.values()))
        self.outline = Outline(name, settings, len(self._documents), chunks)

    def documents(self) -> Iterator[DocumentRecord]:
        for document in self._documents.values():
            chunks = map(self._chunk_at, self._places[document.id])
            in_order = sorted(chunks, key=lambda chunk: chunk.ordinal)
            yield replace(document, chunks=tuple(in_order))

    def _index(self) -> None:
        place, number = self._file.tell(), 1
        for line in self._file:
            number += 1
            self._take(self._parsed(number, line), place, number)
            place += len(line)
        if lost := self._places.keys() - self._documents.keys():
            raise StorageError(f"{self._path}: there is no document {min(lost)!r} for its chunks.")

    def _take(self, record: dict[str, Any], place: int, number: int) -> None:
        match record:
            case {"kind": "document", "id": str(id_)}:
                self._documents[id_] = DocumentRecord(
                    id_, record.get("title"), record.get("source"), record.get("metadata") or {}
                )
                self._places.setdefault(id_, [])
            case {"kind": "chunk", "id": str(_), "text": str(_), "document_id": str(id_)}:
                self._places.setdefault(id_, []).append(place)
            case _:
                raise StorageError(f"{self._path}: line {number} is no document and no chunk.")

    def _parsed(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            record = json.loads(line)
        except ValueError:
            raise StorageError(f"{self._path}: line {number} is no JSON.") from None
        if not isinstance(record, dict):
            raise StorageError(f"{self._path}: line {number} is no JSON object.")
        return record

    def _chunk_at(self, place: int) -> ChunkRecord:
        self._file.seek(place)
        record = json.loads(self._file.readline())
        try:
            embedding = np.frombuffer(b64decode(record["embedding"], validate=True), "<f4")
        except (KeyError, TypeError, ValueError):
            raise StorageError(
                f"{self._path}: chunk {record['id']!r} has no embedding in base64."
            ) from None
        return ChunkRecord(
            record["id"],
            record.get("ordinal", place),
            record["text"],
            record.get("metadata") or {},
            embedding,
        )


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
    return {
        "kind": "chunk",
        "id": chunk.id,
        "document_id": document_id,
        "ordinal": chunk.ordinal,
        "text": chunk.text,
        "metadata": dict(chunk.metadata),
        "embedding": b64encode(chunk.embedding.astype("<f4").tobytes()).decode(),
    }
