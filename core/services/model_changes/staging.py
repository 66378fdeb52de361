"""Staging: the embeddings of a library's chunks by the model that it moves to."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.batches import batches
from core.domain.document import Chunk, ChunkDraft
from core.domain.library import Library
from core.domain.model_change import ModelChange, ModelChangeState, StagedEmbedding
from core.indexing.views.catalog import Catalog
from core.ports.store import Store
from core.services.embedding import TextEmbedding
from core.services.lookup import last_model_change
from core.services.model_changes.prepared import PreparedEmbeddings

BATCH_CHUNKS = 512
"""The number of chunks in one step: two calls of a provider, and one write."""

DELETED_AT_ONCE = 5_000


class UnembeddableChunk(Exception):
    """A chunk that no model can embed, which ends the change."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Embedded chunks; `after` is the last one's id, empty for the last batch of a pass."""

    rows: Sequence[StagedEmbedding]
    after: str


class Staging:
    """The staged embeddings of a change, each of the version that its chunk had."""

    def __init__(self, store: Store, embedding: TextEmbedding, catalog: Catalog) -> None:
        self._store = store
        self._embedding = embedding
        self._catalog = catalog

    def total(self, library_id: str) -> int:
        """Return the number of the library's chunks."""
        view = self._catalog.state.views.get(library_id)
        return 0 if view is None else view.vectors

    def embed_batch(self, change: ModelChange, after: str) -> Batch:
        """Embed the next chunks after the id `after` that have no staged embedding.

        Raises:
            NotFound: the library is deleted.
            Invalid: the server no longer has the model.
            ProviderError: the provider failed.
            UnembeddableChunk: a chunk has no text to embed.
        """
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(change.library_id)
            chunks = snapshot.staged.chunks_to_stage(
                library.id, change.target_model, after=after, limit=BATCH_CHUNKS
            )
        rows = self._embed(library, change.target_model, chunks)
        return Batch(rows, chunks[-1].id if len(chunks) == BATCH_CHUNKS else "")

    def _embed(
        self, library: Library, model: str, chunks: Sequence[Chunk]
    ) -> list[StagedEmbedding]:
        for chunk in chunks:
            _check_text(chunk)
        drafts = [ChunkDraft(chunk.text, place=chunk.place) for chunk in chunks]
        embeddings = self._embedding.embeddings(self._embedding.with_model(library, model), drafts)
        return [
            StagedEmbedding(chunk.id, chunk.version, embedding)
            for chunk, embedding in zip(chunks, embeddings, strict=True)
        ]

    def stage_rest(self, change: ModelChange) -> int:
        """Stage the chunks that have no staged embedding, up to the first batch that is not full.

        Returns:
            A row id of the library: the chunks with lower ones are staged.

        Raises:
            NotFound, Invalid, ProviderError, UnembeddableChunk: as `embed_batch`.
        """
        while True:
            # Read before the record: a chunk of this view that is still current is in the record.
            first_written = self._catalog.library(change.library_id).next_row_id
            batch = self.embed_batch(change, "")
            self._put(change, batch.rows)
            if not batch.after:
                return first_written

    def prepare(self, change: ModelChange, first_written: int) -> PreparedEmbeddings:
        """Read the staged embeddings; see `stage_rest` for `first_written`."""
        with self._store.read() as snapshot:
            ids, embeddings = snapshot.staged.all(change.library_id, change.target_model)
        places = {id_: place for place, id_ in enumerate(ids)}
        return PreparedEmbeddings(change.library_id, places, embeddings, first_written)

    def stage_written(self, change: ModelChange, prepared: PreparedEmbeddings) -> None:
        """Stage the chunks that were written since the embeddings were prepared.

        Raises:
            NotFound, Invalid, ProviderError, UnembeddableChunk: as `embed_batch`.
        """
        ids = prepared.written_ids(self._catalog.library(change.library_id))
        for some in batches(ids, BATCH_CHUNKS):
            with self._store.read() as snapshot:
                library = snapshot.libraries.get(change.library_id)
                chunks = snapshot.staged.chunks_to_stage_among(
                    library.id, change.target_model, some
                )
            self._put(change, self._embed(library, change.target_model, chunks))

    def _put(self, change: ModelChange, rows: Sequence[StagedEmbedding]) -> None:
        if rows:
            with self._store.write() as unit:
                unit.libraries.get(change.library_id)
                unit.staged.put(change.library_id, change.target_model, rows)
                unit.commit()

    def copy_old(self, change: ModelChange) -> None:
        """Stage the library's own embeddings, so that the change can be reverted."""
        after: str | None = ""
        while after is not None:
            with self._store.write() as unit:
                after = unit.staged.copy(
                    change.library_id, change.source_model, after=after, limit=BATCH_CHUNKS
                )
                unit.commit()

    def delete_unused(self, change: ModelChange) -> None:
        """Delete the embeddings that the change does not need in its state, some at a time.

        It stops once the change has another state.
        """
        for model in self._unused_models(change):
            while self._delete(change, model):
                pass

    def _unused_models(self, change: ModelChange) -> list[str]:
        with self._store.read() as snapshot:
            return sorted(set(snapshot.staged.models(change.library_id)) - _needed_models(change))

    def _delete(self, change: ModelChange, model: str) -> int:
        with self._store.write() as unit:
            now = last_model_change(unit, change.library_id)
            if now is None or now.state is not change.state or model in _needed_models(now):
                return 0
            deleted = unit.staged.delete(change.library_id, model, limit=DELETED_AT_ONCE)
            if deleted:
                unit.commit()
            return deleted


def _needed_models(change: ModelChange) -> set[str]:
    """Return the models of which the change needs embeddings in its state."""
    match change.state:
        case ModelChangeState.STAGING | ModelChangeState.COMPARING:
            return {change.new_model}
        case ModelChangeState.SWITCHING:
            return {change.old_model, change.new_model}
        case ModelChangeState.REVERTING:
            return {change.old_model}
        case ModelChangeState.SWITCHED if change.keeps_old:
            return {change.old_model}
    return set()


def _check_text(chunk: Chunk) -> None:
    if not chunk.text.strip():
        raise UnembeddableChunk(
            f"The chunk {chunk.id!r} has no text to embed. Give it a text or delete it, and start "
            "the change again."
        )
