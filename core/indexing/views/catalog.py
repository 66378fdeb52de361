"""The current state of all libraries at one position, replaced by one assignment.

A writer builds the next state and assigns it; readers take the reference to the current one.
Readers never wait, never lock, and never see half a write.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Sequence, Set
from dataclasses import dataclass, field, replace

from immutables import Map

from core.domain.changes import (
    Change,
    ChunksDeleted,
    ChunksPut,
    DocumentDeleted,
    DocumentPut,
    EmbeddingsReplaced,
    FeedbackAdded,
    LibraryDeleted,
    LibraryPut,
)
from core.domain.errors import Behind, NotFound, NotHeld, Unavailable
from core.domain.library import Library
from core.domain.log_hash import GENESIS
from core.indexing.views import next_view
from core.indexing.views.record import from_record, libraries_of
from core.indexing.views.runtime import SearchRuntime
from core.indexing.views.view import LibraryView
from core.ports.store import Snapshot


@dataclass(frozen=True, slots=True)
class CatalogState:
    """Every library at `position`; the index of each `missing` library is still being rebuilt.

    `elsewhere`: the libraries that this node does not hold, as views without rows. `runtime`: that
    of all views. `log_hash`: the hash of the log up to the position.
    """

    position: int = 0
    views: Map[str, LibraryView] = Map()  # noqa: RUF009  # immutable
    ids_by_name: Map[str, str] = Map()  # noqa: RUF009  # immutable
    missing: Map[str, Library] = Map()  # noqa: RUF009  # immutable
    runtime: SearchRuntime = field(default_factory=SearchRuntime)
    log_hash: bytes = GENESIS
    elsewhere: Map[str, LibraryView] = Map()  # noqa: RUF009  # immutable

    @classmethod
    def of(
        cls,
        position: int,
        views: Iterable[LibraryView],
        missing: Iterable[Library] = (),
        runtime: SearchRuntime | None = None,
        log_hash: bytes = GENESIS,
        elsewhere: Iterable[LibraryView] = (),
    ) -> "CatalogState":
        """Build a state from the views of libraries, and those `missing` and `elsewhere`."""
        runtime = runtime or SearchRuntime()
        by_id = Map((view.library.id, replace(view, runtime=runtime)) for view in views)
        names = Map((view.library.name, id_) for id_, view in by_id.items())
        by_missing_id = Map((library.id, library) for library in missing)
        absent = Map((view.library.id, view) for view in elsewhere)
        return cls(position, by_id, names, by_missing_id, runtime, log_hash, absent)

    @classmethod
    def of_snapshot(
        cls,
        snapshot: Snapshot,
        views: Iterable[LibraryView],
        missing: Iterable[Library] = (),
        runtime: SearchRuntime | None = None,
        elsewhere: Iterable[LibraryView] = (),
    ) -> "CatalogState":
        """Build the state at a snapshot's position, as `of` does."""
        log_hash = snapshot.log.last_hash
        return cls.of(snapshot.position, views, missing, runtime, log_hash, elsewhere)

    @property
    def library_ids(self) -> Set[str]:
        return {*self.views, *self.missing, *self.elsewhere}

    def library(self, ref: str) -> LibraryView:
        """Return the library with the given id, else with the given name.

        Raises:
            NotFound: no library has the id or the name.
            NotHeld: the library is on other nodes.
            Unavailable: the library's index is being rebuilt from the record.
        """
        view = self.find(ref)
        if view is None:
            for absent in self.elsewhere.values():
                if ref in {absent.library.id, absent.library.name}:
                    raise NotHeld(absent.library.id)
            if any(ref in {library.id, library.name} for library in self.missing.values()):
                raise Unavailable(
                    f"The index of {ref!r} is being rebuilt from the record. Retry later."
                )
            raise NotFound("library", ref, position=self.position)
        return view

    def find(self, ref: str) -> LibraryView | None:
        return self.views.get(ref) or self.views.get(self.ids_by_name.get(ref, ""))

    def after(self, change: Change) -> "CatalogState":
        """Return the state that follows a change."""
        id_ = library_of(change)
        if id_ is not None and id_ in self.missing:
            return self._without_index(id_, change)
        if id_ is not None and id_ in self.elsewhere:
            return self._with_absent(id_, change)
        match change:
            case LibraryPut(library):
                return self._with_library(library)
            case LibraryDeleted(library_id):
                return self._without_library(library_id)
            case DocumentPut(document):
                return self._edit(
                    document.library_id, lambda v: next_view.with_documents(v, [document])
                )
            case DocumentDeleted(library_id, document_id):
                return self._edit(library_id, lambda v: next_view.without_document(v, document_id))
            case ChunksPut(library_id, rows):
                return self._edit(library_id, lambda v: next_view.with_chunks(v, rows))
            case EmbeddingsReplaced(library_id, chunk_ids, embeddings):
                return self._edit(
                    library_id, lambda v: next_view.with_embeddings(v, chunk_ids, embeddings)
                )
            case ChunksDeleted(library_id, chunk_ids):
                return self._edit(library_id, lambda v: next_view.without_chunks(v, chunk_ids))
            case FeedbackAdded():
                return self

    def with_index(self, view: LibraryView) -> "CatalogState":
        """Return the same state with the view of a library that was missing, or elsewhere."""
        id_ = view.library.id
        return replace(
            self,
            views=self.views.set(id_, replace(view, runtime=self.runtime)),
            ids_by_name=self.ids_by_name.set(view.library.name, id_),
            missing=self.missing.delete(id_) if id_ in self.missing else self.missing,
            elsewhere=self.elsewhere.delete(id_) if id_ in self.elsewhere else self.elsewhere,
        )

    def without_index(self, library: Library) -> "CatalogState":
        """Return the same state without the rows of a library, which are on other nodes.

        If the library comes back, no row gets a row id that one had before.
        """
        before = self.views.get(library.id) or self.elsewhere.get(library.id)
        absent = LibraryView(library, next_row_id=before.next_row_id if before else 0)
        state = self._without_library(library.id) if library.id in self.views else self
        return replace(state, elsewhere=self.elsewhere.set(library.id, absent))

    def at(self, position: int, log_hash: bytes) -> "CatalogState":
        """Return the same state at a later position."""
        return replace(self, position=position, log_hash=log_hash)

    def _without_index(self, library_id: str, change: Change) -> "CatalogState":
        match change:
            case LibraryPut(library):
                return replace(self, missing=self.missing.set(library_id, library))
            case LibraryDeleted():
                return replace(self, missing=self.missing.delete(library_id))
            case _:
                return self

    def _with_absent(self, library_id: str, change: Change) -> "CatalogState":
        elsewhere = self.elsewhere
        match change:
            case LibraryPut(library):
                absent = replace(elsewhere[library_id], library=library)
                return replace(self, elsewhere=elsewhere.set(library_id, absent))
            case LibraryDeleted():
                return replace(self, elsewhere=elsewhere.delete(library_id))
            case _:
                return self

    def _edit(self, library_id: str, edit: Callable[[LibraryView], LibraryView]) -> "CatalogState":
        return replace(self, views=self.views.set(library_id, edit(self.views[library_id])))

    def _with_library(self, library: Library) -> "CatalogState":
        before = self.views.get(library.id)
        if before:
            view = next_view.with_library(before, library)
        else:
            view = LibraryView(library, runtime=self.runtime)
        names = self._names_without(before).set(library.name, library.id)
        return replace(self, views=self.views.set(library.id, view), ids_by_name=names)

    def _without_library(self, library_id: str) -> "CatalogState":
        names = self._names_without(self.views[library_id])
        return replace(self, views=self.views.delete(library_id), ids_by_name=names)

    def _names_without(self, view: LibraryView | None) -> Map[str, str]:
        # The same commit may already have given the name to another library.
        if view is None or self.ids_by_name.get(view.library.name) != view.library.id:
            return self.ids_by_name
        return self.ids_by_name.delete(view.library.name)


class Catalog:
    """The current state, read by any number of threads without a lock.

    Commits, or a follower's steps, and the build thread all make next states; a lock orders them.
    """

    def __init__(self, state: CatalogState | None = None) -> None:
        self._state = state or CatalogState()
        self._write_lock = threading.Lock()
        self._state_change = threading.Condition()
        self._changed: Callable[[Collection[str]], None] = lambda _: None
        self._published: Callable[[int], None] = lambda _: None
        # Replayed when `complete` adds the missing libraries; guarded by `_write_lock`.
        self._missed_changes: dict[str, list[tuple[int, Change]]] = {
            id_: [] for id_ in self._state.missing
        }

    @classmethod
    def load(cls, snapshot: Snapshot) -> "Catalog":
        """Build the whole state from the record; afterwards `apply` keeps it current."""
        views = (from_record(snapshot, library) for library in libraries_of(snapshot))
        return cls(CatalogState.of_snapshot(snapshot, views))

    @property
    def state(self) -> CatalogState:
        return self._state

    @property
    def position(self) -> int:
        return self._state.position

    def library(self, ref: str) -> LibraryView:
        """Return the library with the given id, else with the given name.

        Raises:
            NotFound: no library has the id or the name.
            NotHeld: the library is on other nodes.
            Unavailable: the library's index is being rebuilt from the record.
        """
        return self._state.library(ref)

    def on_change(self, changed: Callable[[Collection[str]], None]) -> None:
        """Set the callback that receives the ids of the libraries that each commit changed."""
        self._changed = changed

    def on_move(self, publish: Callable[[int], None]) -> None:
        """Set the callback that receives the state's position, now and whenever it has changed."""
        with self._write_lock:
            self._published = publish
            publish(self._state.position)

    def apply(self, position: int, changes: Sequence[Change], log_hash: bytes = GENESIS) -> None:
        """Apply a commit as a whole; a commit that the state already contains is skipped.

        Raises:
            ValueError: `position` does not follow the state's position. The state does not change.
        """
        with self._write_lock:
            state = self._state
            if position <= state.position:
                return
            if position != state.position + 1:
                raise ValueError(f"The catalog is at {state.position}; {position} is not the next.")
            for change in changes:
                id_ = library_of(change)
                if id_ is not None and id_ in state.missing:
                    self._missed_changes[id_].append((position, change))
                state = state.after(change)
            self._move_to(state.at(position, log_hash))
        self._changed({id_ for id_ in map(library_of, changes) if id_ is not None})

    def advance(self, step: Callable[[CatalogState], CatalogState]) -> None:
        """Replace the state with what `step` makes of it, which may take long.

        Meanwhile searches read the state before, and builds wait to swap their segments.
        """
        with self._write_lock:
            before = self._state
            state = step(before)
            self._move_to(state)
        self._changed(_changed(before, state))

    def _move_to(self, state: CatalogState) -> None:
        with self._state_change:
            self._state = state
            self._state_change.notify_all()
        self._published(state.position)

    def complete(self, position: int, view: LibraryView) -> None:
        """Add the rebuilt view of a missing library, read at a `position` that the state has
        reached."""
        id_ = view.library.id
        with self._write_lock:
            missed = self._missed_changes.pop(id_, [])
            state = self._state
            if id_ not in state.missing:
                return  # deleted meanwhile
            alone = CatalogState.of(position, [view], runtime=state.runtime)
            for at, change in missed:
                alone = alone.after(change) if at > position else alone
            self._state = state.with_index(alone.views[id_])
        self._changed({id_})

    def revise(
        self, library_id: str, edit: Callable[[LibraryView], LibraryView | None]
    ) -> LibraryView | None:
        """Replace a library's view with an equivalent one, such as a view with a new segment.

        `edit` returns `None` to leave the view as it is. The position does not change.

        Returns:
            The new view; `None` if nothing changed, or the library does not exist.
        """
        with self._write_lock:
            state = self._state
            before = state.views.get(library_id)
            after = None if before is None else edit(before)
            if after is not None:
                self._state = replace(state, views=state.views.set(library_id, after))
            return after

    def wait_for(self, position: int, timeout_s: float) -> None:
        """Wait until the state has reached `position`.

        Raises:
            Behind: the state did not reach `position` within `timeout_s`.
        """
        if self.position >= position:
            return
        with self._state_change:
            self._state_change.wait_for(lambda: self.position >= position, timeout_s)
        reached = self.position
        if reached < position:
            raise Behind(wanted=position, reached=reached)


def _changed(before: CatalogState, state: CatalogState) -> set[str]:
    """Return the ids of the libraries whose views differ."""
    deleted = {id_ for id_ in before.views if id_ not in state.views}
    return deleted | {id_ for id_, view in state.views.items() if before.views.get(id_) is not view}


def library_of(change: Change) -> str | None:
    """Return the id of the library that a change belongs to; `None` if it belongs to none."""
    match change:
        case LibraryPut(library):
            return library.id
        case DocumentPut(document):
            return document.library_id
        case FeedbackAdded():
            return None
        case _:
            return change.library_id
