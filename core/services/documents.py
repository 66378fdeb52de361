"""The service of documents and their chunks: create, replace, edit, delete, read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.domain.document import ChunkDraft, Document, DocumentDraft, Embedding
from core.domain.errors import Invalid, NotFound
from core.domain.guards import UNGUARDED, Guard
from core.domain.ids import check_id, new_id
from core.domain.library import Library
from core.ports.store import Snapshot, Store, UnitOfWork
from core.services.chunk_writes import (
    ChunkWrites,
    Prepared,
    StaleRead,
    build_rows,
    chunks_to_replace,
    retry_stale_reads,
)
from core.services.document_texts import split_text
from core.services.ingestions import check_not_cancelled
from core.services.lookup import find
from core.services.positioned import BeforeCommit, Positioned, commit_positioned


@dataclass(frozen=True, slots=True)
class Deletion:
    """The number of deleted documents, and the ids of those that have another version."""

    deleted: int
    changed: list[str]


class DocumentService:
    def __init__(self, store: Store, writes: ChunkWrites) -> None:
        self._store = store
        self._writes = writes

    def create(
        self, ref: str, draft: DocumentDraft, *, before_commit: BeforeCommit[Document] | None = None
    ) -> Positioned[Document]:
        """Create a document with its chunks, in one write.

        Raises:
            NotFound, Invalid, ProviderError.
            Conflict: the library has a chunk with a draft's id.
        """
        document_id = new_id()
        return retry_stale_reads(
            lambda: self._save(ref, document_id, lambda _: draft, UNGUARDED, before_commit)
        )

    def put(
        self,
        ref: str,
        document_id: str,
        draft: DocumentDraft,
        *,
        guard: Guard = UNGUARDED,
        before_commit: BeforeCommit[Document] | None = None,
    ) -> Positioned[Document]:
        """Create or replace a document by id.

        A draft with text or chunks replaces the document's chunks, whose ids it may use again. A
        draft without both keeps them.

        Raises:
            NotFound, Invalid, PreconditionFailed, ProviderError.
            Conflict: another document's chunk has the id of a draft.
        """
        check_id(document_id, "/document_id")
        return retry_stale_reads(
            lambda: self._save(ref, document_id, lambda _: draft, guard, before_commit)
        )

    def update(
        self,
        ref: str,
        document_id: str,
        edit: Callable[[Document], DocumentDraft],
        *,
        guard: Guard = UNGUARDED,
        before_commit: BeforeCommit[Document] | None = None,
    ) -> Positioned[Document]:
        """Edit an existing document; chunks are replaced as by `put`.

        Raises:
            NotFound, Invalid, PreconditionFailed, ProviderError, Conflict.
        """

        def revise(current: Document | None) -> DocumentDraft:
            if current is None:
                raise NotFound("document", document_id)
            return edit(current)

        return retry_stale_reads(lambda: self._save(ref, document_id, revise, guard, before_commit))

    def delete(
        self,
        ref: str,
        document_id: str,
        *,
        guard: Guard = UNGUARDED,
        before_commit: BeforeCommit[None] | None = None,
    ) -> Positioned[None]:
        """Delete a document with its chunks.

        Raises:
            NotFound, PreconditionFailed.
        """
        with self._store.write() as unit:
            document = unit.documents.get(unit.libraries.get(ref).id, document_id)
            guard.check(document.version)
            unit.documents.delete(document.library_id, document_id)
            return commit_positioned(unit, None, before_commit)

    def delete_many(
        self,
        ref: str,
        versions: Mapping[str, int | None],
        *,
        before_commit: BeforeCommit[Deletion] | None = None,
    ) -> Positioned[Deletion]:
        """Delete documents by id in one write, unless they have another version than the given one.

        Raises:
            NotFound: there is no such library.
        """
        with self._store.write() as unit:
            library = unit.libraries.get(ref)
            documents = unit.documents.get_many(library.id, list(versions))
            changed = [
                id_ for id_, d in documents.items() if versions[id_] not in {None, d.version}
            ]
            ids = sorted(documents.keys() - set(changed))
            for document_id in ids:
                unit.documents.delete(library.id, document_id)
            return commit_positioned(unit, Deletion(len(ids), sorted(changed)), before_commit)

    def get(self, ref: str, document_id: str) -> Positioned[Document]:
        """Return a document.

        Raises:
            NotFound: there is no such library or document.
        """
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(ref)
            return Positioned(snapshot.documents.get(library.id, document_id), snapshot.position)

    def get_many(self, ref: str, document_ids: Sequence[str]) -> Positioned[list[Document]]:
        """Return the documents with these ids that exist, in order of id.

        Raises:
            NotFound: there is no such library.
        """
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(ref)
            documents = snapshot.documents.get_many(library.id, document_ids)
            return Positioned([documents[key] for key in sorted(documents)], snapshot.position)

    def page(self, ref: str, *, after: str | None, limit: int) -> Positioned[list[Document]]:
        """Return a page of a library's documents, in order of id.

        Raises:
            NotFound: there is no such library.
        """
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(ref)
            page = snapshot.documents.page(library.id, after=after, limit=limit)
            return Positioned(page, snapshot.position)

    def _save(
        self,
        ref: str,
        document_id: str,
        make_draft: Callable[[Document | None], DocumentDraft],
        guard: Guard,
        before_commit: BeforeCommit[Document] | None,
    ) -> Positioned[Document]:
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(ref)
            seen = find(snapshot.documents.get, library.id, document_id)
            draft, pieces = split_text(make_draft(seen))
            check_not_cancelled(snapshot, library.id, guard.ingestion)
            guard.check(seen.version if seen else None)
            prepared = self._prepare(snapshot, library, document_id, draft, pieces)
        embeddings = self._writes.embeddings(prepared)
        with self._store.write() as unit:
            self._writes.settle(unit, prepared)
            check_not_cancelled(unit, library.id, guard.ingestion)
            current = find(unit.documents.get, library.id, document_id)
            guard.check(current.version if current else None)
            if current != seen:
                raise StaleRead
            document = _document(library.id, document_id, draft, unit.position, current)
            unit.documents.put(document)
            is_new = current is None
            if draft.text is not None or draft.chunks is not None:
                _replace_chunks(unit, document, prepared, embeddings, is_new=is_new)
            return commit_positioned(unit, document, before_commit, is_new=is_new)

    def _prepare(
        self,
        snapshot: Snapshot,
        library: Library,
        document_id: str,
        draft: DocumentDraft,
        pieces: Sequence[ChunkDraft],
    ) -> Prepared:
        if draft.text is None:
            drafts = draft.chunks or []
            pointers = [f"/chunks/{i}" for i in range(len(drafts))]
            prepared = self._writes.prepare(snapshot, library, drafts, pointers)
            chunks_to_replace(document_id, snapshot.chunks, library.id, drafts)
            return prepared
        try:
            return self._writes.prepare(snapshot, library, pieces, ["/text"] * len(pieces))
        except Invalid as error:
            fault = error.faults[0]
            raise Invalid.at(
                "/text", f"A chunk of this text is invalid at {fault.pointer}: {fault.detail}"
            ) from error


def _document(
    library_id: str, document_id: str, draft: DocumentDraft, version: int, current: Document | None
) -> Document:
    now = datetime.now(UTC)
    return Document(
        id=document_id,
        library_id=library_id,
        title=draft.title,
        source=draft.source,
        metadata=draft.metadata,
        version=version,
        created_at=now if current is None else current.created_at,
        updated_at=now,
    )


def _replace_chunks(
    unit: UnitOfWork,
    document: Document,
    prepared: Prepared,
    embeddings: Sequence[Embedding],
    *,
    is_new: bool,
) -> None:
    chunks = unit.chunks
    existing = chunks_to_replace(document.id, chunks, document.library_id, prepared.drafts)
    if not is_new:  # a new document has none, and a deletion is a round trip to PostgreSQL
        chunks.delete_of_document(document.library_id, document.id)
    new = build_rows(
        prepared,
        embeddings,
        document_id=document.id,
        first_ordinal=0,
        version=document.version,
        existing=existing,
    )
    chunks.put(document.library_id, new)
