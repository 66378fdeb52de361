"""When each stage of a question began and ended, by the workflow's clock."""

from datetime import datetime, timedelta

from core.contracts.names import Stage
from core.contracts.query import StageProgress, StageStatus


class Timeline:
    def __init__(self, asked_at: datetime) -> None:
        self._asked_at = asked_at
        self._stages = {stage: StageProgress(name=stage) for stage in Stage}

    @property
    def stages(self) -> list[StageProgress]:
        return list(self._stages.values())

    @property
    def current(self) -> Stage | None:
        """The stage that was begun last."""
        begun = [stage.name for stage in self.stages if stage.started_at is not None]
        return begun[-1] if begun else None

    def begin(self, stage: Stage, at: datetime) -> None:
        """A stage that is begun again, in its lesser way, keeps when it first began."""
        started_at = self._stages[stage].started_at or at
        self._change(stage, status="running", started_at=started_at, ended_at=None, attempt=1)

    def end(
        self, stage: Stage, status: StageStatus, at: datetime, attempt: int | None = None
    ) -> None:
        """`attempt` where it is known, which it is not after a timeout."""
        known = {} if attempt is None else {"attempt": attempt}
        self._change(stage, status=status, ended_at=at, **known)

    def skip(self, stage: Stage) -> None:
        self._change(stage, status="skipped")

    def stop(self, at: datetime) -> None:
        """The stage that runs, if one does, is not going to be finished."""
        for stage in self.stages:
            if stage.status == "running":
                self.end(stage.name, "cancelled", at)

    def timings_ms(self, now: datetime) -> dict[str, float]:
        """By stage, up to `now` for one that runs; and `total`, from when the question came."""
        spans = {
            stage.name.value: (stage.ended_at or now) - stage.started_at
            for stage in self.stages
            if stage.started_at is not None
        }
        spans["total"] = now - self._asked_at
        return {name: span / timedelta(milliseconds=1) for name, span in spans.items()}

    def _change(self, stage: Stage, **update: object) -> None:
        self._stages[stage] = self._stages[stage].model_copy(update=update)
