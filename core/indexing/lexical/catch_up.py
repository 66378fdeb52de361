"""The BM25 index of each library with lexical searches, brought up to date by searches.

A write does nothing to an index. A lexical search that finds the index behind the catalog applies
the missing changes under the library's lock. It then publishes the view together with a reader of
the same rows. A search that finds a current pair waits for no lock.

The index of a large library is in files, which checkpoints keep, so that the first lexical search
after a start only opens them. The index of a small library is in memory: it is rebuilt quickly, and
a change to it needs no fsync.
"""

import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.domain.place import indexed_text
from core.indexing.lexical.analysis import fingerprint_of
from core.indexing.lexical.bm25 import LexicalIndex, LexicalReader, RowIds
from core.indexing.lexical.checkpointed import LexicalFiles, StoredLexicalIndex
from core.indexing.views.catalog import Catalog, CatalogState
from core.indexing.views.view import LibraryView

IN_FILES_FROM = 2**12
"""The number of texts from which an index is in files; indexing that many takes about 0.1 s."""
_REFUSED = (OSError, ValueError)
"""Disk errors: tantivy raises ValueError where the system raises OSError."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Published:
    """A view and the reader of the same rows."""

    view: LibraryView
    reader: LexicalReader

    def shows(self, view: LibraryView) -> bool:
        """Return whether the view has the same rows, analysed in the same way."""
        same = fingerprint_of(self.view.library) == fingerprint_of(view.library)
        return same and self.view.revision == view.revision


@dataclass(frozen=True, slots=True, eq=False)
class _OpenIndex:
    """An index with the ascending row ids of its texts; `dead` counts deleted texts in it."""

    index: LexicalIndex
    fingerprint: tuple[str, ...]
    row_ids: RowIds
    dead: int


class _LibraryIndex:
    """One library's lexical index; the caller of `catch_up` must hold `lock`.

    `files`: where the index is stored; in memory if `None`. `stored`: the copy in a checkpoint.
    """

    def __init__(
        self, files: LexicalFiles | None, stored: StoredLexicalIndex | None = None
    ) -> None:
        self.lock = threading.Lock()
        self.published: _Published | None = None
        self._files = files
        self._stored = stored
        self._open_index: _OpenIndex | None = None
        self._is_refused = False

    @property
    def size_bytes(self) -> int:
        open_index, stored = self._open_index, self._stored
        if open_index is not None:
            return open_index.index.size_bytes
        return 0 if stored is None else stored.size_bytes

    def catch_up(self, view: LibraryView) -> LexicalReader:
        """Update the index to a view not older than the published one, and return its reader."""
        was = self.published
        if was is not None and was.shows(view):
            return was.reader
        row_ids = view.row_ids(view.matching(None))
        # A change may fail half-way, so take the index away first: the next search rebuilds it.
        open_index, self._open_index = self._open_index or self._open(view), None
        update = None if open_index is None else self._update(open_index, view, row_ids)
        self._open_index, reader = update or self._rebuild(view, row_ids)
        self.published = _Published(view, reader)
        return reader

    def checkpoint(self) -> StoredLexicalIndex | None:
        """Return the index's files for a checkpoint, if it is in files; called by one thread.

        The previous checkpoint's files are returned if the index is being changed, or cannot be
        linked.
        """
        files = self._files
        if files is None:
            return None
        if self._stored is not None and not files.has(self._stored):
            self._stored = None
        if self.lock.acquire(blocking=False):
            try:
                if self._open_index is not None:
                    self._stored = _link_files(self._open_index, files, self._stored)
            except OSError as error:
                _warn("can't be in the checkpoint as it is", error)
            finally:
                self.lock.release()
        return self._stored

    def _open(self, view: LibraryView) -> _OpenIndex | None:
        """Open the checkpoint's copy of the index; `None` if it is not usable."""
        stored = self._stored
        if (
            self._files is None
            or stored is None
            or stored.fingerprint != fingerprint_of(view.library)
        ):
            return None
        try:
            index = LexicalIndex(view.library.language, self._files.folder_of(stored))
            commit = index.last_commit
            assert commit is not None
            return _OpenIndex(index, stored.fingerprint, stored.row_ids, commit.deleted)
        except _REFUSED as error:
            _warn("can't be opened, and is rebuilt", error)
            return None

    def _update(
        self, open_index: _OpenIndex, view: LibraryView, row_ids: RowIds
    ) -> tuple[_OpenIndex, LexicalReader] | None:
        """Update the index in place; `None` if it must be rebuilt, or a rebuild is better."""
        added, removed = (
            _difference(row_ids, open_index.row_ids),
            _difference(open_index.row_ids, row_ids),
        )
        # Rebuild once most texts are dead, which frees their space: O(1) a deletion.
        is_dead = open_index.dead + len(removed) > len(row_ids)
        outgrown = open_index.index.folder is None and self._is_for_files(row_ids)
        if open_index.fingerprint != fingerprint_of(view.library) or is_dead or outgrown:
            return None
        now = replace(open_index, row_ids=row_ids, dead=open_index.dead + len(removed))
        try:
            if not len(added) and not len(removed):
                return now, open_index.index.reader()
            return now, open_index.index.change(_texts(view, added), removed.tolist())
        except _REFUSED as error:
            if open_index.index.folder is None:
                raise
            _warn("can't be changed, and is rebuilt", error)
            return None

    def _rebuild(self, view: LibraryView, row_ids: RowIds) -> tuple[_OpenIndex, LexicalReader]:
        if self._files is not None and self._is_for_files(row_ids):
            try:
                return _build(view, row_ids, self._files.folder())
            except _REFUSED as error:
                _warn("can't be in files, and is in memory", error)
                self._is_refused = True
        return _build(view, row_ids, None)

    def _is_for_files(self, row_ids: RowIds) -> bool:
        """Return whether to store the index in files; after a disk error it stays in memory."""
        return self._files is not None and len(row_ids) >= IN_FILES_FROM and not self._is_refused


class LexicalIndexes:
    """The lexical indexes of all libraries.

    `files`: where large indexes are stored; in memory if `None`. `stored`: the checkpoint's lexical
    indexes that a start found, by library id.
    """

    def __init__(
        self,
        catalog: Catalog,
        files: LexicalFiles | None = None,
        stored: Mapping[str, StoredLexicalIndex] | None = None,
    ) -> None:
        self._catalog = catalog
        self._files = files
        self._lock = threading.Lock()
        self._indexes = {id_: _LibraryIndex(files, index) for id_, index in (stored or {}).items()}

    def catch_up(self, refs: Collection[str]) -> tuple[CatalogState, Mapping[str, LexicalReader]]:
        """Update these libraries' indexes; return the newest state, and by id readers of that
        state.

        The first call for a library builds its index, unless a checkpoint has it: about 30 µs a
        chunk of 80 words.

        Raises:
            NotFound: a library does not exist.
        """
        state = self._catalog.state
        ids = _ids(state, refs)
        indexes = [self._index_of(id_) for id_ in ids]
        published = [one.published for one in indexes]
        current = {
            id_: pair.reader
            for id_, pair in zip(ids, published, strict=True)
            if pair is not None and pair.shows(state.views[id_])
        }
        if len(current) == len(ids):
            return state, current
        with ExitStack() as locks:
            for one in indexes:
                locks.enter_context(one.lock)
            # With all locks held no reader advances, so this state is not older than any of them.
            state = self._catalog.state
            if _ids(state, refs) == ids:
                pairs = zip(ids, indexes, strict=True)
                return state, {id_: one.catch_up(state.views[id_]) for id_, one in pairs}
        return self.catch_up(refs)  # another library has taken over a name meanwhile

    def checkpoint(self) -> dict[str, StoredLexicalIndex]:
        """Return the indexes in files for a checkpoint, without waiting for changes to an index.

        The checkpoint's state must be read afterwards: so no index has a row id that the state has
        not assigned yet. An index that has not changed returns the same object. Called by one
        thread.
        """
        with self._lock:
            self._forget_deleted()
            indexes = dict(self._indexes)
        stored = {id_: one.checkpoint() for id_, one in indexes.items()}
        return {id_: index for id_, index in stored.items() if index is not None}

    def size_bytes(self, library_id: str) -> int:
        """Return the size of the index, estimated if it is in memory; 0 if there is none."""
        index = self._indexes.get(library_id)
        return 0 if index is None else index.size_bytes

    def _index_of(self, library_id: str) -> _LibraryIndex:
        index = self._indexes.get(library_id)
        if index is not None:
            return index
        with self._lock:
            self._forget_deleted()
            return self._indexes.setdefault(library_id, _LibraryIndex(self._files))

    def _forget_deleted(self) -> None:
        views = self._catalog.state.views
        for id_ in [id_ for id_ in self._indexes if id_ not in views]:
            del self._indexes[id_]


def _ids(state: CatalogState, refs: Collection[str]) -> list[str]:
    """Return the libraries' ids, sorted, so that all callers lock in the same order."""
    return sorted({state.library(ref).library.id for ref in refs})


def _build(
    view: LibraryView, row_ids: RowIds, folder: Path | None
) -> tuple[_OpenIndex, LexicalReader]:
    index = LexicalIndex(view.library.language, folder)
    reader = index.change(_texts(view, row_ids), [])
    return _OpenIndex(index, fingerprint_of(view.library), row_ids, 0), reader


def _texts(view: LibraryView, row_ids: RowIds) -> Iterator[tuple[int, str]]:
    chunks = ((row_id, view.chunk(row_id)) for row_id in row_ids.tolist())
    return ((row_id, indexed_text(chunk.text, chunk.place)) for row_id, chunk in chunks)


def _warn(what: str, error: Exception) -> None:
    """Log the error's text without the exception, whose traceback would keep the index alive."""
    _log.warning("A lexical index %s: %s", what, str(error))


def _difference(row_ids: RowIds, others: RowIds) -> RowIds:
    return row_ids[~np.isin(row_ids, others, assume_unique=True)]


def _link_files(
    open_index: _OpenIndex, files: LexicalFiles, before: StoredLexicalIndex | None
) -> StoredLexicalIndex | None:
    """Link the index's files into the checkpoints' folder, while the index does not change.

    `before`: the previous files of this index, or of one that shares no file with it.
    """
    commit = open_index.index.last_commit
    if commit is None:
        return None
    if before is not None and before.meta == commit.meta:
        return before
    linked = files.link(commit, {} if before is None else before.files)
    return StoredLexicalIndex(open_index.fingerprint, commit.meta, linked, open_index.row_ids)
