"""The service of model changes: begin, revert, cancel, forget, read."""

from dataclasses import replace
from datetime import UTC, datetime

from core.domain.errors import Conflict, Invalid
from core.domain.library import Library
from core.domain.model_change import ModelChange, ModelChangeState
from core.ports.store import Store
from core.services.embedding import TextEmbedding
from core.services.lookup import last_model_change
from core.services.model_changes.staging import Staging
from core.services.positioned import Positioned

_NO_MODEL = (
    "The library has no embedding model, its vectors are the client's own. Without vectors it gets "
    "a model by PATCH."
)


class ModelChangeService:
    """The operations on the last change of each library; `staging` is that of its steps."""

    def __init__(self, store: Store, embedding: TextEmbedding, staging: Staging) -> None:
        self._store = store
        self._embedding = embedding
        self._staging = staging

    def get(self, ref: str) -> Positioned[tuple[Library, ModelChange | None]]:
        """Return a library and its last change.

        Raises:
            NotFound: there is no such library.
        """
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(ref)
            change = last_model_change(snapshot, library.id)
            return Positioned((library, change), snapshot.position)

    def check(self, ref: str, model: str) -> Library:
        """Return the library, if it can move to the model.

        Raises:
            NotFound: there is no such library.
            Invalid: the server does not have the model, or the library has none.
            Conflict: the library has the model already.
        """
        library, _ = self.get(ref).value
        self._embedding.with_model(library, model)
        if library.embedding_model is None:
            raise Invalid.at("/library_id", _NO_MODEL)
        if library.embedding_model == model:
            raise Conflict(f"The library has the model {model!r} already.")
        return library

    def check_revertable(self, ref: str) -> tuple[Library, ModelChange]:
        """Return the library and its last change, if that can be reverted.

        Raises:
            NotFound: there is no such library.
            Conflict: there is nothing to revert, or the server does not have the old model.
        """
        library, change = self.get(ref).value
        if change is None or not change.revertable:
            raise Conflict("There is no change of the library's model to revert.")
        try:
            self._embedding.with_model(library, change.old_model)
        except Invalid as error:
            raise Conflict(error.faults[0].detail) from error
        return library, change

    def begin(self, library: Library, model: str, workflow_id: str) -> ModelChange | None:
        """Begin the change of a checked library; return the one before it, for `undo_begin`.

        Raises:
            NotFound: the library is deleted.
        """
        moved = self._embedding.with_model(library, model)
        change = ModelChange(
            library_id=library.id,
            state=ModelChangeState.STAGING,
            workflow_id=workflow_id,
            old_model=library.embedding_model or "",
            old_dimension=library.dimension or 0,
            new_model=model,
            new_dimension=moved.dimension or 0,
            staged=0,
            total=self._staging.total(library.id),
            keeps_old=False,
            comparison=None,
            error=None,
            started_at=datetime.now(UTC),
            switched_at=None,
            ended_at=None,
        )
        with self._store.write() as unit:
            unit.libraries.get(library.id)
            before = last_model_change(unit, library.id)
            unit.entities(ModelChange).put(change)
            unit.commit()
            return before

    def begin_revert(self, change: ModelChange, workflow_id: str) -> ModelChange:
        """Begin the revert of a change; return the change as it was, for `undo_begin`.

        Raises:
            Conflict: the change was reverted or forgotten meanwhile.
        """
        with self._store.write() as unit:
            before = last_model_change(unit, change.library_id)
            if before is None or not before.revertable:
                raise Conflict("There is no change of the library's model to revert.")
            reverting = replace(
                before,
                state=ModelChangeState.REVERTING,
                workflow_id=workflow_id,
                staged=0,
                error=None,
                ended_at=None,
            )
            unit.entities(ModelChange).put(reverting)
            unit.commit()
            return before

    def undo_begin(self, library_id: str, before: ModelChange | None) -> None:
        """Put the last change back as it was, because no workflow has started."""
        with self._store.write() as unit:
            unit.libraries.get(library_id)
            if before is None:
                unit.entities(ModelChange).delete(library_id, ModelChange.id)
            else:
                unit.entities(ModelChange).put(before)
            unit.commit()

    def cancel(self, ref: str) -> Positioned[ModelChange]:
        """Cancel a change or a revert in progress; the library keeps its model. Idempotent.

        Raises:
            NotFound: there is no such library.
            Conflict: nothing is in progress.
        """
        with self._store.write() as unit:
            change = last_model_change(unit, unit.libraries.get(ref).id)
            if change is not None and change.state is ModelChangeState.CANCELLED:
                return Positioned(change, unit.position - 1)
            if change is None or not change.state.in_progress:
                raise Conflict("No change of the library's model is in progress.")
            reverts = change.state is ModelChangeState.REVERTING
            state = ModelChangeState.SWITCHED if reverts else ModelChangeState.CANCELLED
            change = replace(change, state=state, ended_at=datetime.now(UTC))
            unit.entities(ModelChange).put(change)
            unit.commit()
        self._staging.delete_unused(change)
        return Positioned(change, unit.position)

    def forget(self, ref: str) -> int:
        """Delete the old embeddings, if any, and return the write's position.

        Raises:
            NotFound: there is no such library.
            Conflict: a change is in progress.
        """
        with self._store.write() as unit:
            library = unit.libraries.get(ref)
            change = last_model_change(unit, library.id)
            if change is not None and change.state.in_progress:
                raise Conflict("A change of the library's model is in progress. Cancel it first.")
            if change is not None:
                change = replace(change, keeps_old=False)
                unit.entities(ModelChange).put(change)
            unit.commit()
        if change is not None:
            self._staging.delete_unused(change)
        return unit.position
