"""A library as Parquet: a row per chunk, with the fields of its document.

A document without chunks is a row without a chunk. The file's own metadata has the library's
settings under `nalanda`; places of chunks, and metadata of chunks and documents, are
JSON.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.transfer.formats.columns import pyarrow, read_errors
from cli.transfer.formats.parquet_rows import HEADER, Parquet
from cli.transfer.records import ChunkRecord, DocumentRecord, ExportedDocument, Outline, header_of
from core.domain.errors import StorageError

_ROWS_A_GROUP = 10_000

Row = dict[str, Any]


def write(path: Path, outline: Outline, documents: Iterable[ExportedDocument]) -> None:
    """Write the library.

    Raises:
        StorageError: pyarrow is not installed.
    """
    pa, parquet = pyarrow()
    schema = _schema(outline)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        waiting: list[Row] = []
        for document, chunks in documents:
            waiting += _rows(document, chunks)
            if len(waiting) >= _ROWS_A_GROUP:
                writer.write_table(pa.Table.from_pylist(waiting, schema=schema))
                waiting = []
        if waiting:
            writer.write_table(pa.Table.from_pylist(waiting, schema=schema))


@contextmanager
def open_(path: Path) -> Iterator[Parquet]:
    """Open a Parquet file to import.

    Raises:
        StorageError: the file is empty, damaged or not Parquet.
        OSError: the file can't be read.
    """
    _, parquet = pyarrow()
    with path.open("rb") as bytes_:  # a folder or an unreadable file is an OSError
        if not bytes_.read(1):
            raise StorageError(f"{path} is empty.")
        try:
            file = parquet.ParquetFile(path)
            schema = file.schema_arrow
        except read_errors() as error:
            raise StorageError(f"{path} is not a Parquet file, or is damaged: {error}") from error
        with file:
            yield Parquet(path, file, schema)


def _schema(outline: Outline) -> Any:
    pa, _ = pyarrow()
    fields = [
        ("id", pa.string()),
        ("ordinal", pa.int64()),
        ("text", pa.string()),
        ("metadata", pa.string()),
        ("place", pa.string()),
        ("document_id", pa.string()),
        ("document_title", pa.string()),
        ("document_source", pa.string()),
        ("document_metadata", pa.string()),
        ("embedding", pa.list_(pa.float32())),
    ]
    return pa.schema(fields, metadata={HEADER: json.dumps(header_of(outline))})


def _rows(document: DocumentRecord, chunks: Iterable[ChunkRecord]) -> Iterator[Row]:
    shared = {
        "document_id": document.id,
        "document_title": document.title,
        "document_source": document.source,
        "document_metadata": _json(document.metadata),
    }
    is_empty = True
    for chunk in chunks:
        is_empty = False
        yield shared | {
            "id": chunk.id,
            "ordinal": chunk.ordinal,
            "text": chunk.text,
            "metadata": _json(chunk.metadata),
            "place": None if chunk.place is None else chunk.place.model_dump_json(),
            "embedding": chunk.embedding,
        }
    if is_empty:
        yield shared


def _json(metadata: Any) -> str:
    return json.dumps(dict(metadata), ensure_ascii=False, separators=(",", ":"))
