"""Tables of columns: their statements and their rows."""

from dataclasses import fields
from typing import Any

import pytest

from core.adapters.sql.columns import Codec, Column, Table
from core.adapters.sql.rows import CHUNKS, DOCUMENTS, LIBRARIES, from_embedded, to_embedded
from core.domain.document import Chunk, Document
from core.domain.library import Library
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from tests.samples import a_document, a_library, a_row

PAIRS = Table(
    "pairs",
    ["a"],
    tuple,
    [Column("a", Codec("text")), Column("b", Codec("text", str, int))],
)


def test_statements_name_each_column() -> None:
    assert PAIRS.select("WHERE a = ?") == 'SELECT "a", "b" FROM pairs WHERE a = ?'
    assert PAIRS.upsert_row([Column("c", Codec("bytea"))]) == (
        'INSERT INTO pairs ("a", "b", "c") VALUES (?, ?, ?)'
        ' ON CONFLICT (a) DO UPDATE SET "b" = excluded."b", "c" = excluded."c"'
    )


@pytest.mark.parametrize(
    ("table", "entity"), [(LIBRARIES, Library), (DOCUMENTS, Document), (CHUNKS, Chunk)]
)
def test_columns_are_in_the_order_of_the_attributes(table: Table[Any], entity: type) -> None:
    assert [column.name for column in table.columns] == [field.name for field in fields(entity)]


def test_rows_become_the_same_entities() -> None:
    rule = FieldRule(FieldType.STRING, required=True, enum=("a", "b"))
    library = a_library(metadata_schema=MetadataSchema({"x": rule}), metadata={"é": [1, None]})
    assert LIBRARIES.from_row(LIBRARIES.to_row(library)) == library
    document = a_document(source="a/b.md", metadata={"n": 1.5})
    assert DOCUMENTS.from_row(DOCUMENTS.to_row(document)) == document


def test_a_chunk_keeps_its_embedding() -> None:
    row = a_row("c", metadata={"x": True})
    again = to_embedded(from_embedded(row))
    assert again.chunk == row.chunk
    assert again.embedding.tolist() == row.embedding.tolist()
