"""A library as JSON Lines: a header, then documents, then chunks.

Embeddings are base64 of little-endian float32. A file to import may omit the header and may have
its lines in any order.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, Any

from cli.transfer.formats import lines, values
from cli.transfer.formats.fields import Fields
from cli.transfer.formats.rows import COLUMNS, DOCUMENT_PREFIX, Rows
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
    "chunk": {"kind", "id", "document_id", "ordinal", "text", "metadata", "place", "embedding"},
}


def write(path: Path, outline: Outline, documents: Iterable[ExportedDocument]) -> None:
    """Write the library; `documents` is iterated once, and chunks wait in a temporary file
    meanwhile.
    """
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
    with closing(lines.numbered_lines(path)) as numbered:
        yield JsonLines(path, numbered)


class JsonLines:
    """A reader; `settings` are the header's, or `None` for a file without a header."""

    total: int | None = None

    def __init__(self, path: Path, numbered: Iterator[tuple[int, str]]) -> None:
        """Read the first line.

        Raises:
            StorageError: the first line is neither a header nor a record.
        """
        self.origin = Origin(path, "line", "line 1")
        self.settings: Settings = {}
        number, text = next(numbered, (0, ""))
        if number == 0:
            raise StorageError(f"{path} is empty.")
        self._first = self._parse(number, text)
        self._is_table = not self._first.keys() & {"kind", "format", "settings"}
        self._numbered: Iterator[tuple[int, str]] = chain([(number, text)], numbered)
        if self._is_table:
            self._check_text()
            self.origin = replace(self.origin, document_prefix=DOCUMENT_PREFIX)
        elif self._first.get("kind") not in _KINDS:
            self.settings = settings_of(self._first, self.origin)
            self._numbered = numbered

    def stage(self, staging: Staging, progress: Callable[[int], None]) -> None:
        """Stage all records.

        Raises:
            StorageError: a line is invalid.
        """
        names_documents = "document_id" in self._first
        rows = Rows(self.origin, staging, names_documents=names_documents)
        for number, text in self._numbered:
            record = self._parse(number, text)
            if self._is_table:
                rows.stage(number, record)
                staging.ignore(name for name in record if name not in COLUMNS)
            else:
                _stage(staging, Fields(self.origin, number, record))
            progress(number)
        staging.finish()

    def _check_text(self) -> None:
        if "text" not in self._first:
            listed = ", ".join(self._first) or "none"
            raise StorageError(
                f"{self.origin.path}: line 1 is neither an export's header nor a row with a text "
                f"(its fields: {listed}): rename the field with the text to `text`."
            )

    def _parse(self, number: int, text: str) -> Mapping[str, Any]:
        where = f"{self.origin.path}: line {number}"
        try:
            record = values.parse(text)
        except Invalid as invalid:
            raise StorageError(f"{where}: {invalid.faults[0].detail}") from None
        if not isinstance(record, dict):
            raise StorageError(f"{where} must be a JSON object.")
        return record


def _stage(staging: Staging, fields: Fields) -> None:
    """Stage the line of a document or a chunk.

    Raises:
        StorageError: the line is invalid.
    """
    kind = fields.raw.get("kind")
    if kind == "document":
        id_ = fields.required("id", values.id_, "A document must have an id.")
        staging.add_document(fields.number, fields.document(id_))
    elif kind == "chunk":
        detail = "A chunk must name its document."
        document_id = fields.required("document_id", values.id_, detail)
        staging.add_chunk(fields.number, document_id, fields.chunk())
    else:
        detail = "This must be `document` or `chunk`."
        raise staging.origin.fault(fields.number, "kind", detail)
    known = _FIELDS[kind]
    staging.ignore(name for name in fields.raw if name not in known and fields.has(name))


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
        "place": None if chunk.place is None else chunk.place.model_dump(mode="json"),
        "embedding": b64encode(chunk.embedding.astype("<f4").tobytes()).decode(),
    }
