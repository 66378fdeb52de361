"""A filter that names ids tests only those chunks, and matches the same as a full scan."""

from typing import Any

import pytest

from core.domain import filters
from core.domain.changes import ChunksPut, DocumentPut, LibraryPut
from core.indexing.views.catalog import Catalog
from core.indexing.views.view import LibraryView
from tests.unit.core.builders import chunk, document, embedded, library


@pytest.fixture
def view() -> LibraryView:
    chunks = [embedded(chunk(id_, metadata={"n": n})) for n, id_ in enumerate("dbac")]
    catalog = Catalog()
    catalog.apply(1, [LibraryPut(library()), DocumentPut(document()), ChunksPut("L", chunks)])
    return catalog.library("L")


def by_id(op: str, value: Any) -> dict[str, Any]:
    return {"field": "chunk.id", "op": op, "value": value}


LATER = {"field": "n", "op": "gte", "value": 2}


@pytest.mark.parametrize(
    ("raw", "named", "rows"),
    [
        (by_id("eq", "b"), {"b"}, [1]),
        (by_id("in", ["c", "b", "b", "gone"]), {"b", "c", "gone"}, [1, 3]),
        ({"and": [LATER, by_id("in", ["a", "b"])]}, {"a", "b"}, [2]),
        ({"and": [by_id("in", ["a", "b"]), by_id("eq", "b")]}, {"b"}, [1]),
        ({"or": [LATER, by_id("eq", "b")]}, None, [1, 2, 3]),
        ({"not": by_id("eq", "b")}, None, [0, 2, 3]),
        (by_id("nin", ["b"]), None, [0, 2, 3]),
        ({"field": "chunk.document_id", "op": "eq", "value": "d"}, None, [0, 1, 2, 3]),
    ],
)
def test_ids_that_a_filter_names(
    view: LibraryView, raw: dict[str, Any], named: set[str] | None, rows: list[int]
) -> None:
    wanted = filters.parse(raw)
    assert filters.ids_named_by(wanted) == named
    assert view.row_ids(view.matching(wanted)).tolist() == rows
