"""Digests of the states of a catalog, each from the hashes of the rows that are new in it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from immutables import Map

from core.domain import digest
from core.domain.digest import Hashes, Sum
from core.domain.document import Document
from core.indexing.segment.rows import Rows
from core.indexing.segment.segment import Segment
from core.indexing.views.catalog import CatalogState
from core.indexing.views.view import LibraryView

MAX_NEW_ROWS = 20_000
"""The rows that one call hashes at most: half a second or less."""

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class _HashedRows:
    """The hashes of the first rows; `rows` is kept alive, so that its identity is not reused."""

    rows: Rows
    hashes: Hashes


@dataclass(frozen=True, slots=True)
class _HashedDocuments:
    documents: Map[str, Document]
    total: Sum


class Digests:
    """The digests of a process's states; it keeps 32 bytes for each row of the last state.

    Sealed rows are hashed once. The documents of a library are hashed again when one has changed.
    """

    def __init__(self, *, max_new_rows: int = MAX_NEW_ROWS) -> None:
        self._max_new_rows = max_new_rows
        self._turn = threading.Lock()
        # Guarded by `_turn`; by the identity of rows and of documents.
        self._rows: dict[int, _HashedRows] = {}
        self._documents: dict[int, _HashedDocuments] = {}

    def of(self, state: CatalogState, ref: str | None = None) -> str | None:
        """Return the digest, 64 hexadecimal digits; `ref`: of one library, by its id or name.

        It is `None` while a library is being rebuilt, and while more than `max_new_rows` have no
        hash yet: each call hashes as many. Without `ref` it is also `None` where libraries are
        elsewhere.

        Raises:
            NotFound, NotHeld, Unavailable: the library is not here.
        """
        with self._turn:
            views = list(state.views.values())
            left = self._hash_rows([segment for view in views for segment in view.segments])
            documents = self._sum_documents(views)
            if ref is not None:
                views = [state.library(ref)]
            elif state.missing or state.elsewhere:
                return None
            if left:
                return None
            total = digest.sum_of(digest.library_hashes(view.library for view in views))
            for view in views:
                total += documents[view.library.id]
                for segment in view.segments:
                    hashes = self._rows[id(segment.rows)].hashes[: segment.size]
                    total += digest.sum_of(hashes[segment.alive[: segment.size]])
            return digest.to_hex(total)

    def _hash_rows(self, segments: list[Segment]) -> int:
        """Hash rows without a hash, and forget those of no segment; return how many are left."""
        last, self._rows = self._rows, {}
        budget, left = self._max_new_rows, 0
        for segment in segments:
            rows, key = segment.rows, id(segment.rows)
            known = last.get(key) or _HashedRows(rows, np.empty((0, digest.LANES), np.uint64))
            start = len(known.hashes)
            end = max(start, min(segment.size, start + budget))
            budget, left = budget - (end - start), left + max(0, segment.size - end)
            added = [
                digest.chunk_hashes(rows.embedded(range(first, min(first + _AT_ONCE, end))))
                for first in range(start, end, _AT_ONCE)
            ]
            self._rows[key] = _HashedRows(rows, np.concatenate([known.hashes, *added]))
        return left

    def _sum_documents(self, views: list[LibraryView]) -> Mapping[str, Sum]:
        """Return the sums of the documents' hashes, by library."""
        last, self._documents = self._documents, {}
        totals: dict[str, Sum] = {}
        for view in views:
            documents = view.documents
            known = last.get(id(documents)) or _HashedDocuments(
                documents, digest.sum_of(digest.document_hashes(documents.values()))
            )
            self._documents[id(documents)] = known
            totals[view.library.id] = known.total
        return totals


def digest_of(state: CatalogState) -> str | None:
    """Return the digest of a state, whatever its size; `None` while a library is being rebuilt."""
    total = sum(view.vectors + view.deleted for view in state.views.values())
    return Digests(max_new_rows=total).of(state)
