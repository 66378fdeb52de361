"""The switch: one write that gives a library its new model and all chunks their new embeddings."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from core.domain.changes import EmbeddingsReplaced
from core.domain.errors import Conflict, Unavailable
from core.domain.model_change import ModelChange, ModelChangeState
from core.indexing.views.catalog import Catalog
from core.ports.store import Store, UnitOfWork
from core.services.lookup import last_model_change
from core.services.model_changes.prepared import PreparedEmbeddings
from core.services.model_changes.staging import Staging
from core.services.model_changes.write_gate import WriteGate

ATTEMPTS = 10
"""Tries of one call; each stages what was written since the one before."""


class Switching:
    """The switch of changes and of reverts.

    New writes to the library wait at the gate, so that the few that have begun before are staged in
    the end. Those embed again after the switch, because the library's version has changed.
    """

    def __init__(self, store: Store, staging: Staging, catalog: Catalog, gate: WriteGate) -> None:
        self._store = store
        self._staging = staging
        self._catalog = catalog
        self._gate = gate

    def switch(self, change: ModelChange) -> ModelChange:
        """Switch, unless the change has another state meanwhile; return it as it is then.

        Raises:
            NotFound: the library is deleted.
            Conflict: the library has got another model.
            ProviderError: the provider failed.
            Unavailable: writes kept coming; try again.
        """
        first_written = self._staging.stage_rest(change)
        if change.state is ModelChangeState.SWITCHING:
            self._staging.copy_old(change)
        prepared = self._staging.prepare(change, first_written)
        with self._gate.closed(change.library_id):
            switched = self._switch_when_complete(change, prepared)
        self._staging.delete_unused(switched)
        return switched

    def _switch_when_complete(
        self, change: ModelChange, prepared: PreparedEmbeddings
    ) -> ModelChange:
        for _ in range(ATTEMPTS):
            self._staging.stage_written(change, prepared)
            with self._store.write(after_listeners=True) as unit:
                now = last_model_change(unit, change.library_id)
                if now is None or now.state is not change.state:
                    unit.libraries.get(change.library_id)
                    return change if now is None else now
                view = self._catalog.library(change.library_id)  # that of the record, by now
                written = prepared.written_ids(view)
                if not _is_complete(unit, change, written):
                    continue
                if written:
                    _update(unit, change, prepared, written)
                switched = self._switch(unit, now, prepared.replacing(view))
                unit.commit()
                return switched
        raise Unavailable("Writes to the library keep coming. Retry later.")

    def _switch(
        self, unit: UnitOfWork, change: ModelChange, replaced: EmbeddingsReplaced
    ) -> ModelChange:
        library, now = unit.libraries.get(change.library_id), datetime.now(UTC)
        if library.embedding_model != change.source_model:
            raise Conflict(
                f"The library's model is {library.embedding_model!r} meanwhile, and not "
                f"{change.source_model!r}."
            )
        moved = replace(
            library,
            embedding_model=change.target_model,
            dimension=change.target_dimension,
            version=unit.position,
            updated_at=now,
        )
        unit.libraries.put(moved)
        unit.staged.switch(change.target_model, replaced)
        switched = _end(change, now)
        unit.entities(ModelChange).put(switched)
        return switched


def _update(
    unit: UnitOfWork, change: ModelChange, prepared: PreparedEmbeddings, written: Sequence[str]
) -> None:
    """Prepare the embeddings of the written chunks as well, and keep their old ones."""
    staged, library_id = unit.staged, change.library_id
    prepared.update(staged.get_many(library_id, change.target_model, written))
    if change.state is ModelChangeState.SWITCHING:
        staged.copy_among(library_id, change.source_model, written)


def _is_complete(unit: UnitOfWork, change: ModelChange, written: Sequence[str]) -> bool:
    """Return whether the written chunks have staged embeddings of their versions."""
    model = change.target_model
    return not (written and unit.staged.chunks_to_stage_among(change.library_id, model, written))


def _end(change: ModelChange, now: datetime) -> ModelChange:
    if change.state is ModelChangeState.SWITCHING:
        return replace(
            change,
            state=ModelChangeState.SWITCHED,
            keeps_old=True,
            switched_at=now,
            ended_at=now,
        )
    return replace(
        change, state=ModelChangeState.REVERTED, keeps_old=False, switched_at=now, ended_at=now
    )
