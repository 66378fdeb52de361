"""The switch: one write that gives a library its new model and all chunks their new embeddings."""

from dataclasses import replace
from datetime import UTC, datetime

from core.domain.errors import Conflict, Unavailable
from core.domain.model_change import ModelChange, ModelChangeState
from core.ports.store import Store, UnitOfWork
from core.services.lookup import last_model_change
from core.services.model_changes.staging import Staging
from core.services.model_changes.write_gate import WriteGate

ATTEMPTS = 10
"""Tries of one call; each stages what was written since the one before."""


_ALL = 2**31 - 1


class Switching:
    """The switch of changes and of reverts.

    New writes to the library wait at the gate, so that the few that have begun before are staged in
    the end. Those embed again after the switch, because the library's version has changed.
    """

    def __init__(self, store: Store, staging: Staging, gate: WriteGate) -> None:
        self._store = store
        self._staging = staging
        self._gate = gate

    def switch(self, change: ModelChange) -> ModelChange:
        """Switch, unless the change has another state meanwhile; return it as it is then.

        Raises:
            NotFound: the library is deleted.
            Conflict: the library has got another model.
            ProviderError: the provider failed.
            Unavailable: writes kept coming; try again.
        """
        self._staging.stage_rest(change)
        if change.state is ModelChangeState.SWITCHING:
            self._staging.copy_old(change)
        with self._gate.closed(change.library_id):
            switched = self._switch_when_complete(change)
        self._staging.delete_unused(switched)
        return switched

    def _switch_when_complete(self, change: ModelChange) -> ModelChange:
        for _ in range(ATTEMPTS):
            self._staging.stage_rest(change)
            with self._store.write(after_listeners=True) as unit:
                now = last_model_change(unit, change.library_id)
                if now is None or now.state is not change.state:
                    unit.libraries.get(change.library_id)
                    return change if now is None else now
                if not _is_complete(unit, change):
                    continue
                switched = self._switch(unit, now)
                unit.commit()
                return switched
        raise Unavailable("Writes to the library keep coming. Retry later.")

    def _switch(self, unit: UnitOfWork, change: ModelChange) -> ModelChange:
        library, now = unit.libraries.get(change.library_id), datetime.now(UTC)
        if library.embedding_model != change.source_model:
            raise Conflict(
                f"The library's model is {library.embedding_model!r} meanwhile, and not "
                f"{change.source_model!r}."
            )
        if change.state is ModelChangeState.SWITCHING:
            unit.staged.copy(library.id, change.source_model, after="", limit=_ALL)
        moved = replace(
            library,
            embedding_model=change.target_model,
            dimension=change.target_dimension,
            version=unit.position,
            updated_at=now,
        )
        unit.libraries.put(moved)
        unit.staged.switch(library.id, change.target_model)
        switched = _end(change, now)
        unit.entities(ModelChange).put(switched)
        return switched


def _is_complete(unit: UnitOfWork, change: ModelChange) -> bool:
    """Return whether every chunk has a staged embedding of its version."""
    missing = unit.staged.chunks_to_stage(change.library_id, change.target_model, after="", limit=1)
    return not missing


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
