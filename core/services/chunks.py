"""The service of chunks: create, replace, edit, delete, read."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from core.domain.document import Chunk, ChunkDraft, EmbeddingsById
from core.domain.errors import Invalid
from core.domain.filters import Filter, compile_filter, parse
from core.domain.guards import UNGUARDED, Guard
from core.domain.ids import check_id
from core.domain.library import Library
from core.domain.place import indexed_text
from core.indexing.views.catalog import Catalog, CatalogState
from core.ports.store import Snapshot, Store, UnitOfWork
from core.services.chunk_writes import (
    ChunkWrites,
    StaleRead,
    build_rows,
    chunks_to_replace,
    retry_stale_reads,
)
from core.services.lookup import every_chunk, find
from core.services.positioned import BeforeCommit, Positioned, commit_positioned


class ChunkService:
    """The operations on chunks; `catalog` must follow `store`."""

    def __init__(self, store: Store, writes: ChunkWrites, catalog: Catalog) -> None:
        self._store = store
        self._writes = writes
        self._catalog = catalog

    def add(
        self,
        ref: str,
        document_id: str,
        drafts: Sequence[ChunkDraft],
        *,
        before_commit: BeforeCommit[list[Chunk]] | None = None,
    ) -> Positioned[list[Chunk]]:
        """Append chunks to a document, all or none.

        Raises:
            NotFound, Invalid, ProviderError.
            Conflict: the library has a chunk with a draft's id.
        """
        return retry_stale_reads(lambda: self._add(ref, document_id, drafts, before_commit))

    def put(
        self,
        ref: str,
        chunk_id: str,
        document_id: str,
        draft: ChunkDraft,
        *,
        guard: Guard = UNGUARDED,
        before_commit: BeforeCommit[Chunk] | None = None,
    ) -> Positioned[Chunk]:
        """Create or replace a chunk by id.

        A replaced chunk keeps its ordinal in its document. A new one, or one from another
        document, is appended. The text is always embedded, unless the draft has an embedding.

        Raises:
            NotFound, PreconditionFailed, ProviderError.
            Invalid: the draft breaks a rule, or there is no such document.
        """
        draft = replace(draft, id=check_id(chunk_id, "/chunk_id"))
        return retry_stale_reads(
            lambda: self._put(ref, chunk_id, document_id, draft, guard, before_commit)
        )

    def update(
        self,
        ref: str,
        chunk_id: str,
        edit: Callable[[Chunk], ChunkDraft],
        *,
        guard: Guard = UNGUARDED,
        before_commit: BeforeCommit[Chunk] | None = None,
    ) -> Positioned[Chunk]:
        """Edit a chunk; without an embedding, it is embedded again if its text or context changes.

        Raises:
            NotFound, Invalid, PreconditionFailed, ProviderError, Conflict.
        """
        return retry_stale_reads(lambda: self._update(ref, chunk_id, edit, guard, before_commit))

    def delete(
        self,
        ref: str,
        chunk_id: str,
        *,
        guard: Guard = UNGUARDED,
        before_commit: BeforeCommit[None] | None = None,
    ) -> Positioned[None]:
        """Delete a chunk.

        Raises:
            NotFound, PreconditionFailed.
        """
        with self._store.write() as unit:
            chunk = unit.chunks.get(unit.libraries.get(ref).id, chunk_id)
            guard.check(chunk.version)
            unit.chunks.delete(chunk.library_id, [chunk_id])
            return commit_positioned(unit, None, before_commit)

    def delete_many(
        self,
        ref: str,
        *,
        ids: Sequence[str] | None = None,
        filter: object = None,
        before_commit: BeforeCommit[int] | None = None,
    ) -> Positioned[int]:
        """Delete chunks by ids or by a filter; return how many existed.

        Raises:
            NotFound: there is no such library.
            Invalid: neither or both are given, or the filter breaks a rule.
        """
        if (ids is None) == (filter is None):
            raise Invalid.at("", "Give either ids or a filter.")
        with self._store.write(after_listeners=ids is None) as unit:
            library = unit.libraries.get(ref)
            if ids is None:
                parsed = parse(filter, library.metadata_schema, "/filter")
                ids = _matching_ids(unit, library, parsed, self._catalog.state)
            return commit_positioned(unit, unit.chunks.delete(library.id, ids), before_commit)

    def get(self, ref: str, chunk_id: str) -> Positioned[Chunk]:
        """Return a chunk.

        Raises:
            NotFound: there is no such library or chunk.
        """
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(ref)
            return Positioned(snapshot.chunks.get(library.id, chunk_id), snapshot.position)

    def page_of_document(
        self, ref: str, document_id: str, *, after: tuple[int, str] | None, limit: int
    ) -> Positioned[list[Chunk]]:
        """Return a page of a document's chunks, in order of (ordinal, id).

        Raises:
            NotFound: there is no such library or document.
        """
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(ref)
            document = snapshot.documents.get(library.id, document_id)
            page = snapshot.chunks.page_of_document(
                library.id, document.id, after=after, limit=limit
            )
            return Positioned(page, snapshot.position)

    def embeddings(self, ref: str, chunk_ids: Sequence[str]) -> EmbeddingsById:
        """Return the embeddings of chunks by id; unknown ids are left out.

        Raises:
            NotFound: there is no such library.
        """
        with self._store.read() as snapshot:
            return snapshot.chunks.embeddings(snapshot.libraries.get(ref).id, chunk_ids)

    def _add(
        self,
        ref: str,
        document_id: str,
        drafts: Sequence[ChunkDraft],
        before_commit: BeforeCommit[list[Chunk]] | None,
    ) -> Positioned[list[Chunk]]:
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(ref)
            snapshot.documents.get(library.id, document_id)
            pointers = [f"/chunks/{i}" for i in range(len(drafts))]
            prepared = self._writes.prepare(snapshot, library, drafts, pointers)
            chunks_to_replace(None, snapshot.chunks, library.id, drafts)
        embeddings = self._writes.embeddings(prepared)
        with self._store.write() as unit:
            first_ordinal = self._writes.settle_to_append(unit, prepared, document_id)
            new = build_rows(
                prepared,
                embeddings,
                document_id=document_id,
                first_ordinal=first_ordinal,
                version=unit.position,
                existing={},
            )
            unit.chunks.put(library.id, new)
            return commit_positioned(unit, [row.chunk for row in new], before_commit)

    def _put(
        self,
        ref: str,
        chunk_id: str,
        document_id: str,
        draft: ChunkDraft,
        guard: Guard,
        before_commit: BeforeCommit[Chunk] | None,
    ) -> Positioned[Chunk]:
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(ref)
            _chunk_to_replace(snapshot, library, chunk_id, document_id, guard)
            prepared = self._writes.prepare(snapshot, library, [draft], [""])
        embeddings = self._writes.embeddings(prepared)
        with self._store.write() as unit:
            self._writes.settle(unit, prepared)
            current = _chunk_to_replace(unit, library, chunk_id, document_id, guard)
            if current is not None and current.document_id == document_id:
                ordinal = current.ordinal
            else:
                ordinal = unit.chunks.next_ordinal(library.id, document_id)
            (row,) = build_rows(
                prepared,
                embeddings,
                document_id=document_id,
                first_ordinal=ordinal,
                version=unit.position,
                existing={} if current is None else {chunk_id: current},
            )
            unit.chunks.put(library.id, [row])
            return commit_positioned(unit, row.chunk, before_commit, is_new=current is None)

    def _update(
        self,
        ref: str,
        chunk_id: str,
        edit: Callable[[Chunk], ChunkDraft],
        guard: Guard,
        before_commit: BeforeCommit[Chunk] | None,
    ) -> Positioned[Chunk]:
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(ref)
            seen = snapshot.chunks.get(library.id, chunk_id)
            guard.check(seen.version)
            draft = replace(_without_old_boxes(edit(seen), seen), id=chunk_id)
            if draft.embedding is None and _keeps_embedding(library, draft, seen):
                stored = snapshot.chunks.embeddings(library.id, [chunk_id])
                draft = replace(draft, embedding=stored[chunk_id])
            prepared = self._writes.prepare(snapshot, library, [draft], [""])
        embeddings = self._writes.embeddings(prepared)
        with self._store.write() as unit:
            self._writes.settle(unit, prepared)
            current = unit.chunks.get(library.id, chunk_id)
            guard.check(current.version)
            if current != seen:
                raise StaleRead
            (row,) = build_rows(
                prepared,
                embeddings,
                document_id=current.document_id,
                first_ordinal=current.ordinal,
                version=unit.position,
                existing={chunk_id: current},
            )
            unit.chunks.put(library.id, [row])
            return commit_positioned(unit, row.chunk, before_commit)


def _without_old_boxes(draft: ChunkDraft, seen: Chunk) -> ChunkDraft:
    """Return the draft without the boxes of the text that it replaces."""
    if draft.place is None or seen.place is None or draft.text == seen.text:
        return draft
    if draft.place.boxes != seen.place.boxes:
        return draft
    return replace(draft, place=replace(draft.place, boxes=()))


def _keeps_embedding(library: Library, draft: ChunkDraft, seen: Chunk) -> bool:
    """Return whether the stored embedding fits the draft, which has none.

    Without a model the client's own embedding stays as long as the text does.
    """
    if library.embedding_model is None:
        return draft.text == seen.text
    return indexed_text(draft.text, draft.place) == indexed_text(seen.text, seen.place)


def _chunk_to_replace(
    reader: Snapshot | UnitOfWork, library: Library, chunk_id: str, document_id: str, guard: Guard
) -> Chunk | None:
    """Return the chunk to replace, or `None`; check the guard and the document.

    Raises:
        Invalid: there is no such document.
        PreconditionFailed: the guard does not hold.
    """
    if find(reader.documents.get, library.id, document_id) is None:
        raise Invalid.at("/document_id", f"There is no document {document_id!r}.")
    current = find(reader.chunks.get, library.id, chunk_id)
    guard.check(current.version if current else None)
    return current


def _matching_ids(
    unit: UnitOfWork, library: Library, filter_: Filter, state: CatalogState
) -> list[str]:
    """Return the ids of the chunks that match, as of the write's beginning.

    In a write that begins after the listeners, the catalog equals the record, unless the catalog
    has missed a commit. Then the record is scanned.
    """
    view = state.views.get(library.id)
    if view is not None and state.position == unit.position - 1:
        return [chunk.id for chunk in view.chunks(view.matching(filter_))]
    matches = compile_filter(filter_)
    document, ids = None, []
    for chunk in every_chunk(unit.chunks, library.id):
        if document is None or document.id != chunk.document_id:
            document = unit.documents.get(library.id, chunk.document_id)
        if matches(chunk, document):
            ids.append(chunk.id)
    return ids
