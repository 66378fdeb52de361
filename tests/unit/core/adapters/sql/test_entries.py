"""Entries of the log: back as references, and nothing that is not known."""

import json

import pytest

from core.adapters.sql.entries import from_entry, to_entry
from core.domain.changes import (
    Change,
    ChangeRef,
    ChunksDeleted,
    ChunksPut,
    ChunksRef,
    DocumentDeleted,
    DocumentPut,
    DocumentRef,
    FeedbackAdded,
    LibraryDeleted,
    LibraryPut,
    LibraryRef,
)
from core.domain.errors import StorageError
from tests.samples import a_document, a_library, a_row

REFERENCES: list[tuple[Change, ChangeRef]] = [
    (LibraryPut(a_library()), LibraryRef("lib")),
    (LibraryDeleted("lib"), LibraryDeleted("lib")),
    (DocumentPut(a_document()), DocumentRef("lib", "doc")),
    (DocumentDeleted("lib", "doc"), DocumentDeleted("lib", "doc")),
    (ChunksPut("lib", [a_row("a"), a_row("b")]), ChunksRef("lib", ("a", "b"))),
    (ChunksDeleted("lib", ("a",)), ChunksDeleted("lib", ("a",))),
    (FeedbackAdded("q"), FeedbackAdded("q")),
]


def test_each_change_comes_back_as_its_reference() -> None:
    changes = [change for change, _ in REFERENCES]
    assert from_entry(to_entry(changes)) == tuple(reference for _, reference in REFERENCES)


def test_a_change_that_is_not_known_is_refused() -> None:
    with pytest.raises(StorageError, match="not known here: 'library_moved'"):
        from_entry(json.dumps([{"kind": "library_moved", "library_id": "lib"}]))
