"""A library as Parquet: a row for each chunk, with its document's fields beside it.

A document without chunks is one row without a chunk. The library's settings are in the file's
own metadata, under `nalanda`; metadata of chunks and documents is JSON.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from cli.transfer.records import (
    ChunkRecord,
    DocumentRecord,
    Outline,
    header_of,
    settings_of,
)
from core.domain.errors import StorageError

_KEY = b"nalanda"
_ROWS_A_GROUP = 10_000

Row = dict[str, Any]


def write(path: Path, outline: Outline, documents: Iterable[DocumentRecord]) -> None:
    """Raises: StorageError: pyarrow is not installed."""
    pa, parquet = _pyarrow()
    schema = _schema(outline)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        waiting: list[Row] = []
        for document in documents:
            waiting += _rows(document)
            if len(waiting) >= _ROWS_A_GROUP:
                writer.write_table(pa.Table.from_pylist(waiting, schema=schema))
                waiting = []
        if waiting:
            writer.write_table(pa.Table.from_pylist(waiting, schema=schema))


@contextmanager
def open_(path: Path) -> Iterator["Parquet"]:
    """Raises: StorageError."""
    pa, parquet = _pyarrow()
    try:
        file = parquet.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise StorageError(f"{path} is no Parquet file: {error}") from error
    with file:
        yield Parquet(path, file)


class Parquet:
    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self._file = file
        try:
            header = json.loads((file.schema_arrow.metadata or {})[_KEY])
        except (KeyError, ValueError):
            raise StorageError(f"{path} is no export of a library.") from None
        name, settings = settings_of(header, path)
        self.outline = Outline(name, settings, header["documents"], header["chunks"])

    def documents(self) -> Iterator[DocumentRecord]:
        seen: set[str] = set()
        for document_id, rows in groupby(self._all_rows(), key=lambda row: row["document_id"]):
            if document_id in seen:
                raise StorageError(
                    f"{self._path}: the rows of document {document_id!r} are not together."
                )
            seen.add(document_id)
            yield _document(list(rows))

    def _all_rows(self) -> Iterator[Row]:
        for batch in self._file.iter_batches(batch_size=1_000):
            embeddings = batch.column("embedding")
            rows: list[Row] = batch.drop_columns(["embedding"]).to_pylist()
            for row, embedding in zip(rows, embeddings, strict=True):
                numbers = embedding.values if embedding.is_valid else None
                row["embedding"] = None if numbers is None else numbers.to_numpy()
                yield row


def _pyarrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise StorageError(
            "Parquet needs pyarrow: pip install 'nalanda[parquet]', or use a .jsonl file."
        ) from None


def _schema(outline: Outline) -> Any:
    pa, _ = _pyarrow()
    fields = [
        ("id", pa.string()),
        ("ordinal", pa.int64()),
        ("text", pa.string()),
        ("metadata", pa.string()),
        ("document_id", pa.string()),
        ("document_title", pa.string()),
        ("document_source", pa.string()),
        ("document_metadata", pa.string()),
        ("embedding", pa.list_(pa.float32())),
    ]
    return pa.schema(fields, metadata={_KEY: json.dumps(header_of(outline))})


def _rows(document: DocumentRecord) -> Iterator[Row]:
    shared = {
        "document_id": document.id,
        "document_title": document.title,
        "document_source": document.source,
        "document_metadata": _json(document.metadata),
    }
    for chunk in document.chunks:
        yield shared | {
            "id": chunk.id,
            "ordinal": chunk.ordinal,
            "text": chunk.text,
            "metadata": _json(chunk.metadata),
            "embedding": chunk.embedding,
        }
    if not document.chunks:
        yield shared


def _document(rows: list[Row]) -> DocumentRecord:
    first = rows[0]
    chunks = [
        ChunkRecord(
            row["id"],
            row["ordinal"],
            row["text"],
            json.loads(row["metadata"]),
            np.asarray(row["embedding"], np.float32),
        )
        for row in rows
        if row["id"] is not None
    ]
    return DocumentRecord(
        first["document_id"],
        first["document_title"],
        first["document_source"],
        json.loads(first["document_metadata"]),
        tuple(sorted(chunks, key=lambda chunk: chunk.ordinal)),
    )


def _json(metadata: Any) -> str:
    return json.dumps(dict(metadata), ensure_ascii=False, separators=(",", ":"))
