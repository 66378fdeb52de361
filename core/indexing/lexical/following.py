"""The BM25 index of each library that is searched by words, kept up with the catalog.

Nothing is done when something is written. A search by words that finds an index behind takes
in, under the library's lock, what came and went since, and publishes the pair of a view and
the reader that shows just that; whoever finds a pair that is current waits for nobody.
"""

import threading
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from core.indexing.catalog import Catalog, CatalogState
from core.indexing.lexical.bm25 import LexicalIndex, LexicalReader, Serials
from core.indexing.view import LibraryView


@dataclass(frozen=True, slots=True, eq=False)
class _Published:
    view: LibraryView
    reader: LexicalReader

    def shows(self, view: LibraryView) -> bool:
        """Whether it has the same rows, which were made into terms in the same way."""
        same = _made_for(self.view) == _made_for(view)
        return same and self.view.revision == view.revision


class _Followed:
    """One library's index. Whoever calls `catch_up` holds `lock`."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.published: _Published | None = None
        self._index: LexicalIndex | None = None
        self._serials: Serials = np.empty(0, np.int64)
        self._dead = 0

    @property
    def memory_bytes(self) -> int:
        return 0 if self._index is None else self._index.memory_bytes

    def catch_up(self, view: LibraryView) -> LexicalReader:
        """To a view that is no older than the published one."""
        was = self.published
        if was is not None and was.shows(view):
            return was.reader
        serials = view.serials(view.matching(None))
        same = was is not None and _made_for(was.view) == _made_for(view)
        added = (
            serials[np.searchsorted(serials, was.view.next_serial) :] if was and same else serials
        )
        gone = self._serials[~np.isin(self._serials, serials, assume_unique=True)]
        if self._index is None or not same or self._dead + len(gone) > len(serials):
            # Also once most of it is dead, so that space is given back: O(1) a deletion.
            self._index, self._dead = LexicalIndex(view.library.language), 0
            added, gone = serials, gone[:0]
        texts = ((serial, view.chunk(serial).text) for serial in added.tolist())
        try:
            reader = self._index.change(texts, gone.tolist())
        except BaseException:
            self._index = None  # who knows how far it came: the next search begins anew
            raise
        self._serials = serials
        self._dead += len(gone)
        self.published = _Published(view, reader)
        return reader


class LexicalIndexes:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._followed: dict[str, _Followed] = {}

    def at_once(self, refs: Collection[str]) -> tuple[CatalogState, Mapping[str, LexicalReader]]:
        """The newest state, and by id the readers of these libraries, each as of that state.

        The first call for a library builds its index: about 30 µs a chunk of 80 words.

        Raises:
            NotFound: there is no such library.
        """
        state = self._catalog.state
        ids = _ids(state, refs)
        followed = [self._of(id_) for id_ in ids]
        published = [one.published for one in followed]
        current = {
            id_: pair.reader
            for id_, pair in zip(ids, published, strict=True)
            if pair is not None and pair.shows(state.views[id_])
        }
        if len(current) == len(ids):
            return state, current
        with ExitStack() as locks:
            for one in followed:
                locks.enter_context(one.lock)
            # No older than what any of them shows: they move under their locks alone.
            state = self._catalog.state
            if _ids(state, refs) == ids:
                pairs = zip(ids, followed, strict=True)
                return state, {id_: one.catch_up(state.views[id_]) for id_, one in pairs}
        return self.at_once(refs)  # as a name went on to another library

    def memory_bytes(self, library_id: str) -> int:
        """About what the index takes; 0 while there is none."""
        followed = self._followed.get(library_id)
        return 0 if followed is None else followed.memory_bytes

    def _of(self, library_id: str) -> _Followed:
        found = self._followed.get(library_id)
        if found is not None:
            return found
        with self._lock:
            views = self._catalog.state.views
            for id_ in [id_ for id_ in self._followed if id_ not in views]:
                del self._followed[id_]
            return self._followed.setdefault(library_id, _Followed())


def _ids(state: CatalogState, refs: Collection[str]) -> list[str]:
    """In an order that is everybody's, so that no two wait for each other's locks."""
    return sorted({state.library(ref).library.id for ref in refs})


def _made_for(view: LibraryView) -> tuple[object, ...]:
    """A library that was deleted and made again under its id begins anew with its serials."""
    return view.library.language, view.library.created_at
