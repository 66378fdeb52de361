"""A library's content, and the differences of two libraries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nalanda import Nalanda

_PAGE_SIZE = 500
_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Content:
    """The documents by id, and the chunks by document and ordinal, without versions and times."""

    documents: dict[str, tuple[Any, ...]]
    chunks: dict[tuple[str, int], tuple[Any, ...]]
    repeated: list[tuple[str, int]]
    """Documents with two chunks of one ordinal."""


def content_of(client: Nalanda, library: str) -> Content:
    documents = {
        document.id: (document.source, document.title, document.metadata)
        for document in client.documents.list(library, page_size=_PAGE_SIZE)
    }
    chunks: dict[tuple[str, int], tuple[Any, ...]] = {}
    repeated = []
    for chunk in client.chunks.list(library, include=["embedding"], page_size=_PAGE_SIZE):
        key = (chunk.document_id, chunk.ordinal)
        if key in chunks:
            repeated.append(key)
        chunks[key] = (chunk.text, chunk.place, chunk.metadata, chunk.embedding)
    return Content(documents, chunks, repeated)


def differences(disturbed: Content, undisturbed: Content) -> list[str]:
    """Return what differs, in sentences; at most ten of each kind."""
    found = [
        f"The document {document} has the chunk {n} twice." for document, n in disturbed.repeated
    ]
    for what, left, right in (
        ("document", disturbed.documents, undisturbed.documents),
        ("chunk", disturbed.chunks, undisturbed.chunks),
    ):
        found += list(_differing(what, left, right))[:_MOST_SHOWN]
    return found


def _differing(what: str, left: dict[Any, Any], right: dict[Any, Any]) -> Iterator[str]:
    for key in sorted(left.keys() | right.keys()):
        if key not in left:
            yield f"The {what} {key} is missing."
        elif key not in right:
            yield f"The {what} {key} is not in the undisturbed library."
        elif left[key] != right[key]:
            yield f"The {what} {key} differs: {left[key]!r} instead of {right[key]!r}."
