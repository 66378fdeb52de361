"""Reads the values that columns are built from out of chunks and documents."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from core.domain.document import Chunk, Document
from core.domain.filters import Field
from core.domain.filters.fields import metadata_reader
from core.indexing.attributes.bitmaps import Rows
from core.indexing.attributes.composites import ValuesAt
from core.indexing.attributes.evaluation import OF_DOCUMENTS

_NO_DOCUMENT = Document("", "", None, None, {}, 0, datetime.min, datetime.min)  # noqa: DTZ901
_VALUES_AT_ONCE = 2_000_000


def values_of(
    field: Field, chunks: Sequence[Chunk], documents: Mapping[str, Document]
) -> list[object]:
    """Return the field's value in each chunk."""
    read = field.reader()
    if field.scope in OF_DOCUMENTS:
        one_of = {chunk.document_id: chunk for chunk in chunks}
        values = {id_: read(chunk, documents[id_]) for id_, chunk in one_of.items()}
        return [values[chunk.document_id] for chunk in chunks]
    # A chunk field needs no document, and looking up each document would double the time.
    return [read(chunk, _NO_DOCUMENT) for chunk in chunks]


def values_at(field: Field, chunks: Sequence[Chunk], documents: Mapping[str, Document]) -> ValuesAt:
    """Return a function that reads the values of given rows, and holds no unneeded documents."""
    needed = documents if field.scope in OF_DOCUMENTS else {}

    def read(rows: Rows) -> list[object]:
        return values_of(field, [chunks[row] for row in rows.tolist()], needed)

    return read


def metadata_values(
    keys: Sequence[str], chunks: Sequence[Chunk]
) -> Iterator[tuple[str, list[object]]]:
    """Yield each key with its value in each chunk.

    A pass reads several keys, as parsing the metadata takes most of the time.
    """
    together = max(1, _VALUES_AT_ONCE // max(1, len(chunks)))
    for start in range(0, len(keys), together):
        some = keys[start : start + together]
        yield from zip(some, _in_one_pass(some, chunks), strict=True)


def _in_one_pass(keys: Sequence[str], chunks: Sequence[Chunk]) -> list[list[object]]:
    columns: list[list[object]] = [[] for _ in keys]
    steps = [
        (metadata_reader(key), column.append) for key, column in zip(keys, columns, strict=True)
    ]
    for chunk in chunks:
        metadata = chunk.metadata
        for read, append in steps:
            append(read(metadata))
    return columns
