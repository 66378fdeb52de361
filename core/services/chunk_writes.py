"""The steps of every write of chunks: read and check, embed, check again and write.

Embedding may take seconds, so it runs between two transactions. The first reads and checks. The
second makes sure that the state that was checked has not changed, and writes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import TypeVar

from core.domain.document import Chunk, ChunkDraft, EmbeddedChunk, Embedding
from core.domain.errors import Conflict, Fault, Invalid, NotFound
from core.domain.ids import check_id, new_id
from core.domain.library import Language, Library
from core.domain.pointers import join
from core.indexing.lexical.detection import detect_language
from core.ports.rows import ChunkReader
from core.ports.store import Snapshot, UnitOfWork
from core.services.embedding import TextEmbedding

T = TypeVar("T")

ATTEMPTS = 8
_TEXTS_TO_DETECT = 50
"""The number of stored chunks that are read, with those written, to detect a language."""


class StaleRead(Exception):
    """A change, by another write, of the state that was read before the embedding."""


def retry_stale_reads(attempt: Callable[[], T]) -> T:
    """Call `attempt` until it does not raise `StaleRead`; return its result.

    Raises:
        Conflict: `ATTEMPTS` calls raised `StaleRead`.
    """
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except StaleRead:
            continue
    raise Conflict("Concurrent writes keep changing the same rows. Try again.")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Checked drafts, and the library as read; `settled` is the library after their write."""

    drafts: Sequence[ChunkDraft]
    library: Library
    had_vectors: bool
    settled: Library


def _admit_all(_library_id: str, _rows: int) -> None:
    pass


class ChunkWrites:
    """The steps that writes of chunks share; `admit` is the index's back-pressure.

    `admit` takes a library's id and a number of rows. It waits until the library may take the
    rows, or raises `Unavailable`.
    """

    def __init__(
        self, embedding: TextEmbedding, admit: Callable[[str, int], None] = _admit_all
    ) -> None:
        self._embedding = embedding
        self._admit = admit

    def prepare(
        self,
        snapshot: Snapshot,
        library: Library,
        drafts: Sequence[ChunkDraft],
        pointers: Sequence[str],
    ) -> Prepared:
        """Check drafts against their library; `pointers` are the drafts' places in the input.

        Raises:
            Invalid: an id, metadata or an embedding breaks a rule, or an id is used twice.
            ProviderRejected: the server does not have the library's model.
        """
        had_vectors = snapshot.chunks.any(library.id)
        settled = library
        if drafts:
            settled = self._embedding.settle(library, had_vectors, drafts[0])
            settled = _settle_language(settled, snapshot.chunks, drafts)
        faults = _repeated_ids(drafts, pointers)
        for draft, pointer in zip(drafts, pointers, strict=True):
            faults += _faults_of_metadata(library, draft, pointer)
            faults += self._embedding.faults(settled, draft, pointer)
        if faults:
            raise Invalid(faults)
        return Prepared(drafts, library, had_vectors, settled)

    def embeddings(self, prepared: Prepared) -> list[Embedding]:
        """Return the drafts' embeddings; slow, so call it while no transaction is open.

        Raises:
            ProviderError: the provider failed.
            Unavailable: the library's index can't keep up.
        """
        self._admit(prepared.library.id, len(prepared.drafts))
        return self._embedding.embeddings(prepared.settled, prepared.drafts)

    def settle(self, unit: UnitOfWork, prepared: Prepared) -> None:
        """Write the library, if these chunks settle its dimension, model or language.

        Raises:
            StaleRead: the library has changed since the drafts were checked.
        """
        self._settle(unit, prepared, unit.libraries.get(prepared.library.id).version)

    def settle_to_append(self, unit: UnitOfWork, prepared: Prepared, document_id: str) -> int:
        """Settle the library as `settle` does; return the ordinal of the first new chunk.

        Reads once, because each read of a unit is a round trip that other writers wait for.

        Raises:
            StaleRead: the library has changed since the drafts were checked.
            NotFound: the library or the document is gone.
            Conflict: the library has a chunk with a draft's id.
        """
        library_id = prepared.library.id
        ids = [draft.id for draft in prepared.drafts if draft.id is not None]
        point = unit.chunks.append_point(library_id, document_id, ids)
        if point.library_version is None:
            raise NotFound("library", library_id)
        if not point.has_document:
            raise NotFound("document", document_id)
        if point.taken is not None:
            raise _conflict(point.taken)
        self._settle(unit, prepared, point.library_version)
        return point.next_ordinal

    def _settle(self, unit: UnitOfWork, prepared: Prepared, version: int) -> None:
        seen = prepared.library
        if version != seen.version:
            raise StaleRead
        if prepared.settled == seen:
            return
        if unit.chunks.any(seen.id) != prepared.had_vectors:
            raise StaleRead
        now = datetime.now(UTC)
        unit.libraries.put(replace(prepared.settled, version=unit.position, updated_at=now))


def _settle_language(
    library: Library, chunks: ChunkReader, drafts: Sequence[ChunkDraft]
) -> Library:
    """Return the library with its language, if that is `auto` and its texts suffice to tell."""
    if library.language is not Language.AUTO:
        return library
    stored = (chunk.text for chunk in chunks.page(library.id, after=None, limit=_TEXTS_TO_DETECT))
    language = detect_language(chain((draft.text for draft in drafts), stored))
    return library if language is None else replace(library, language=language)


def chunks_to_replace(
    document_id: str | None, chunks: ChunkReader, library_id: str, drafts: Sequence[ChunkDraft]
) -> dict[str, Chunk]:
    """Return the document's chunks that the drafts replace, by id.

    Raises:
        Conflict: another document's chunk has an id of a draft; with `None`, any chunk.
    """
    ids = [draft.id for draft in drafts if draft.id is not None]
    existing = chunks.get_many(library_id, ids) if ids else {}
    foreign = [chunk_id for chunk_id, chunk in existing.items() if chunk.document_id != document_id]
    if foreign:
        raise _conflict(min(foreign))
    return existing


def _conflict(chunk_id: str) -> Conflict:
    return Conflict(f"The library has a chunk {chunk_id!r} already.")


def build_rows(
    prepared: Prepared,
    embeddings: Sequence[Embedding],
    *,
    document_id: str,
    first_ordinal: int,
    version: int,
    existing: Mapping[str, Chunk],
) -> list[EmbeddedChunk]:
    """Build consecutive chunks from the drafts; a replaced chunk keeps its `created_at`."""
    now = datetime.now(UTC)

    def chunk(draft: ChunkDraft, ordinal: int) -> Chunk:
        chunk_id = draft.id or new_id()
        replaced = existing.get(chunk_id)
        return Chunk(
            id=chunk_id,
            library_id=prepared.library.id,
            document_id=document_id,
            ordinal=ordinal,
            text=draft.text,
            metadata=draft.metadata,
            version=version,
            created_at=now if replaced is None else replaced.created_at,
            updated_at=now,
            place=draft.place,
        )

    return [
        EmbeddedChunk(chunk(draft, ordinal), embedding)
        for ordinal, (draft, embedding) in enumerate(
            zip(prepared.drafts, embeddings, strict=True), start=first_ordinal
        )
    ]


def _repeated_ids(drafts: Sequence[ChunkDraft], pointers: Sequence[str]) -> list[Fault]:
    faults: list[Fault] = []
    seen: set[str] = set()
    for draft, pointer in zip(drafts, pointers, strict=True):
        if draft.id is None:
            continue
        if draft.id in seen:
            faults.append(Fault(join(pointer, "id"), f"The id {draft.id!r} comes twice."))
        seen.add(check_id(draft.id, join(pointer, "id")))
    return faults


def _faults_of_metadata(library: Library, draft: ChunkDraft, pointer: str) -> Sequence[Fault]:
    if library.metadata_schema is None:
        return []
    try:
        library.metadata_schema.check(draft.metadata, join(pointer, "metadata"))
    except Invalid as error:
        return error.faults
    return []
