"""The steps of a model change, which a worker calls one after the other.

A step is bounded, and reads from the record where the change is. So any process may be killed
between two steps or within one, and the change goes on with the next call.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.domain.errors import Conflict, NotFound
from core.domain.model_change import ModelChange, ModelChangeState
from core.indexing.views.catalog import Catalog
from core.ports.store import Store, UnitOfWork
from core.services.embedding import TextEmbedding
from core.services.lookup import last_model_change
from core.services.model_changes.comparison import compare
from core.services.model_changes.staging import Batch, Staging, UnembeddableChunk
from core.services.model_changes.switching import Switching
from core.services.model_changes.write_gate import WriteGate
from core.services.positioned import Positioned


@dataclass(frozen=True, slots=True)
class Step:
    """A change after a step; in the same state the next step begins after the chunk id `after`."""

    change: ModelChange
    after: str = ""


class ModelChangeSteps:
    """The steps of all changes; writes of chunks wait at `gate` before a switch."""

    def __init__(
        self, store: Store, embedding: TextEmbedding, catalog: Catalog, gate: WriteGate
    ) -> None:
        self._store = store
        self._embedding = embedding
        self._catalog = catalog
        self.staging = Staging(store, embedding, catalog)
        self._switching = Switching(store, self.staging, catalog, gate)

    def advance(
        self, ref: str, *, model: str, state: ModelChangeState, after: str = ""
    ) -> Positioned[Step]:
        """Do the next step of a change to `model`, if the change has the state and is in progress.

        Raises:
            NotFound: there is no such library.
            Conflict: the library is not being moved to the model.
            Invalid: the server no longer has the model.
            ProviderError: a provider failed; the step can be tried again.
            Unavailable: other writes kept the step from its end; it can be tried again.
        """
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(ref)
            change = last_model_change(snapshot, library.id)
        if change is None or change.target_model != model:
            raise Conflict(f"The library is not being moved to the model {model!r}.")
        step = Step(change)
        if change.state is state and state.in_progress:
            try:
                step = self._step(change, after)
            except UnembeddableChunk as error:
                step = Step(self._fail(change, str(error)))
        return Positioned(step, self._catalog.position)

    def _step(self, change: ModelChange, after: str) -> Step:
        match change.state:
            case ModelChangeState.STAGING:
                return self._stage(change, after)
            case ModelChangeState.COMPARING:
                return Step(self._compare(change))
            case ModelChangeState.SWITCHING:
                return Step(self._switching.switch(change))
            case _:
                return self._revert(change, after)

    def _stage(self, change: ModelChange, after: str) -> Step:
        """Stage a batch; a last batch that began a pass ends the staging.

        The end of a longer pass begins another one, for chunks that were written behind its place.
        """
        if not after:
            self.staging.delete_unused(change)
        batch = self.staging.embed_batch(change, after)
        is_done = not after and not batch.after
        following = ModelChangeState.COMPARING if is_done else change.state
        return Step(self._put(change, batch, following), batch.after)

    def _compare(self, change: ModelChange) -> ModelChange:
        with self._store.read() as snapshot:
            compared = compare(
                self._catalog.library(change.library_id),
                snapshot,
                self._embedding,
                old_model=change.old_model,
                new_model=change.new_model,
            )
        following = ModelChangeState.SWITCHING
        return self._update(
            change, lambda now, _: replace(now, state=following, comparison=compared)
        )

    def _revert(self, change: ModelChange, after: str) -> Step:
        batch = self.staging.embed_batch(change, after)
        reverting = self._put(change, batch, change.state)
        if after or batch.after or reverting.state is not change.state:
            return Step(reverting, batch.after)
        return Step(self._switching.switch(reverting))

    def _put(self, change: ModelChange, batch: Batch, state: ModelChangeState) -> ModelChange:
        def put(now: ModelChange, unit: UnitOfWork) -> ModelChange:
            library_id, model = now.library_id, now.target_model
            unit.staged.put(library_id, model, batch.rows)
            total = self.staging.total(library_id)
            staged = min(unit.staged.count(library_id, model), total)
            return replace(now, state=state, staged=staged, total=total)

        return self._update(change, put)

    def _fail(self, change: ModelChange, error: str) -> ModelChange:
        """End a change, or a revert, which leaves the new model."""

        def fail(now: ModelChange, _: UnitOfWork) -> ModelChange:
            reverts = now.state is ModelChangeState.REVERTING
            state = ModelChangeState.SWITCHED if reverts else ModelChangeState.FAILED
            return replace(now, state=state, error=error, ended_at=datetime.now(UTC))

        failed = self._update(change, fail)
        self.staging.delete_unused(failed)
        return failed

    def _update(
        self, change: ModelChange, edit: Callable[[ModelChange, UnitOfWork], ModelChange]
    ) -> ModelChange:
        """Edit a change in one write, unless it has another state meanwhile; return it then.

        Raises:
            NotFound: the library is deleted.
        """
        with self._store.write() as unit:
            now = last_model_change(unit, change.library_id)
            if now is None:
                raise NotFound("library", change.library_id)
            if now.state is not change.state:
                return now
            edited = edit(now, unit)
            unit.entities(ModelChange).put(edited)
            unit.commit()
            return edited
