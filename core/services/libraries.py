"""The service of libraries: create, replace, edit, delete, read."""

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from core.domain.errors import Conflict, Fault, Invalid
from core.domain.guards import UNGUARDED, Guard
from core.domain.ids import check_id, new_id
from core.domain.library import Language, Library, LibraryDraft, Metric
from core.domain.schema import MetadataSchema
from core.indexing.lexical.detection import detect_language, sample_evenly
from core.ports.rows import ChunkReader
from core.ports.store import Store, UnitOfWork
from core.services.embedding import TextEmbedding
from core.services.lookup import every_chunk, find
from core.services.positioned import BeforeCommit, Positioned, commit_positioned

MAX_NAME_LENGTH = 128
_FIXED_BY_VECTORS = ("dimension", "metric", "embedding_model")
_OTHER_WAYS = {"embedding_model": " POST /libraries/{library_id}/embedding-model changes it."}


class LibraryService:
    def __init__(self, store: Store, embedding: TextEmbedding) -> None:
        self._store = store
        self._embedding = embedding

    def create(
        self, draft: LibraryDraft, *, before_commit: BeforeCommit[Library] | None = None
    ) -> Positioned[Library]:
        """Create a library.

        Raises:
            Invalid: the draft breaks a rule.
            Conflict: another library has the name.
        """
        with self._store.write() as unit:
            library = self._add(unit, new_id(), draft)
            return commit_positioned(unit, library, before_commit, is_new=True)

    def put(
        self,
        library_id: str,
        draft: LibraryDraft,
        *,
        guard: Guard = UNGUARDED,
        before_commit: BeforeCommit[Library] | None = None,
    ) -> Positioned[Library]:
        """Create or replace a library by id.

        A dimension or model that the draft leaves out stays as the vectors have settled it. A
        draft that changes nothing is a write like any other.

        Raises:
            Invalid, Conflict, PreconditionFailed.
        """
        with self._store.write() as unit:
            current = find(unit.libraries.get, library_id)
            if current is not None and current.id != library_id:
                raise Conflict(f"{library_id!r} is the name of the library {current.id}.")
            guard.check(current.version if current else None)
            if current is None:
                library = self._add(unit, check_id(library_id, "/library_id"), draft)
            else:
                library = self._revise(unit, current, draft)
            return commit_positioned(unit, library, before_commit, is_new=current is None)

    def update(
        self,
        ref: str,
        edit: Callable[[Library], LibraryDraft],
        *,
        guard: Guard = UNGUARDED,
        before_commit: BeforeCommit[Library] | None = None,
    ) -> Positioned[Library]:
        """Edit a library.

        Raises:
            NotFound, Invalid, Conflict, PreconditionFailed.
        """
        with self._store.write() as unit:
            current = unit.libraries.get(ref)
            guard.check(current.version)
            library = self._revise(unit, current, edit(current))
            return commit_positioned(unit, library, before_commit)

    def delete(
        self,
        ref: str,
        *,
        guard: Guard = UNGUARDED,
        before_commit: BeforeCommit[None] | None = None,
    ) -> Positioned[None]:
        """Delete a library and all below it.

        Raises:
            NotFound, PreconditionFailed.
        """
        with self._store.write() as unit:
            current = unit.libraries.get(ref)
            guard.check(current.version)
            unit.libraries.delete(current.id)
            return commit_positioned(unit, None, before_commit)

    def get(self, ref: str) -> Positioned[Library]:
        """Return a library.

        Raises:
            NotFound: there is no such library.
        """
        with self._store.read() as snapshot:
            return Positioned(snapshot.libraries.get(ref), snapshot.position)

    def page(
        self, *, after: str | None, limit: int, name: str | None = None
    ) -> Positioned[list[Library]]:
        with self._store.read() as snapshot:
            page = snapshot.libraries.page(after=after, limit=limit, name=name)
            return Positioned(page, snapshot.position)

    def _add(self, unit: UnitOfWork, library_id: str, draft: LibraryDraft) -> Library:
        self._embedding.check_library(draft)
        if draft.metadata_schema is not None:
            draft.metadata_schema.check_itself("/metadata_schema")
        return _put(unit, library_id, draft, replaced=None)

    def _revise(self, unit: UnitOfWork, current: Library, draft: LibraryDraft) -> Library:
        if unit.chunks.any(current.id):
            draft = _keep_settled(draft, current)
        else:
            self._embedding.check_library(draft)
        if draft.language is Language.AUTO:
            texts = (chunk.text for chunk in every_chunk(unit.chunks, current.id))
            language = detect_language(sample_evenly(texts))
            draft = replace(draft, language=language or Language.AUTO)
        schema = draft.metadata_schema
        if schema is not None and schema != current.metadata_schema:
            schema.check_itself("/metadata_schema")
            _check_chunks(unit.chunks, current.id, schema)
        return _put(unit, current.id, draft, replaced=current)


def _put(
    unit: UnitOfWork, library_id: str, draft: LibraryDraft, *, replaced: Library | None
) -> Library:
    _check_name(draft.name)
    other = find(unit.libraries.get, draft.name)
    if other is not None and other.id != library_id:
        raise Conflict(f"{draft.name!r} is the name or the id of another library, {other.id}.")
    now = datetime.now(UTC)
    library = Library(
        id=library_id,
        name=draft.name,
        description=draft.description,
        metadata=draft.metadata,
        metadata_schema=draft.metadata_schema,
        dimension=draft.dimension,
        metric=draft.metric or Metric.COSINE,
        index=draft.index,
        embedding_model=draft.embedding_model,
        version=unit.position,
        created_at=now if replaced is None else replaced.created_at,
        updated_at=now,
        language=draft.language,
    )
    unit.libraries.put(library)
    return library


def _check_name(name: str) -> None:
    """Check a name, which may take the id's place in a URL's path.

    Raises:
        Invalid: a path can't have the name.
    """
    shown = name[:MAX_NAME_LENGTH]
    controls = any(unicodedata.category(character) in {"Cc", "Cs"} for character in shown)
    if not 1 <= len(name) <= MAX_NAME_LENGTH or controls or "/" in name or name in {".", ".."}:
        detail = f"A name is 1 to {MAX_NAME_LENGTH} characters, without / and control characters."
        raise Invalid.at("/name", detail)


def _keep_settled(draft: LibraryDraft, current: Library) -> LibraryDraft:
    """Return the draft with the settled dimension, metric and model where it leaves them out.

    Raises:
        Invalid: the draft changes one of them.
    """
    draft = replace(
        draft,
        dimension=draft.dimension or current.dimension,
        metric=draft.metric or current.metric,
        embedding_model=draft.embedding_model or current.embedding_model,
    )
    faults = [
        Fault(
            f"/{name}",
            f"It is {getattr(current, name)} and can't change, because the library has vectors."
            + _OTHER_WAYS.get(name, ""),
        )
        for name in _FIXED_BY_VECTORS
        if getattr(draft, name) != getattr(current, name)
    ]
    if faults:
        raise Invalid(faults)
    return draft


def _check_chunks(chunks: ChunkReader, library_id: str, schema: MetadataSchema) -> None:
    """Check a library's chunks against a new schema.

    Raises:
        Invalid: chunks break the schema; the text has their number and the first one.
    """
    first, count = None, 0
    for chunk in every_chunk(chunks, library_id):
        try:
            schema.check(chunk.metadata, "/metadata")
        except Invalid as error:
            count += 1
            first = first or f"the first is {chunk.id} ({error})"
    if first is not None:
        raise Invalid.at(
            "/metadata_schema",
            f"{count} of the library's chunks do not conform to this schema; {first}.",
        )
