"""Start and end of each stage of a question, by the workflow's clock."""

from datetime import datetime, timedelta

from core.contracts.query import Stage, StageProgress, StageStatus


class Timeline:
    def __init__(self, asked_at: datetime) -> None:
        self._asked_at = asked_at
        self._stages = {stage: StageProgress(name=stage) for stage in Stage}

    @property
    def stages(self) -> list[StageProgress]:
        return list(self._stages.values())

    @property
    def current(self) -> Stage | None:
        """Return the stage that began last."""
        begun = [stage.name for stage in self.stages if stage.started_at is not None]
        return begun[-1] if begun else None

    def begin(self, stage: Stage, at: datetime) -> None:
        """Begin a stage; a stage that begins again, as its fallback, keeps its first start."""
        started_at = self._stages[stage].started_at or at
        self._change(stage, status="running", started_at=started_at, ended_at=None, attempt=1)

    def end(
        self, stage: Stage, status: StageStatus, at: datetime, attempt: int | None = None
    ) -> None:
        """End a stage; `attempt` is `None` if unknown, as after a timeout."""
        known = {} if attempt is None else {"attempt": attempt}
        self._change(stage, status=status, ended_at=at, **known)

    def skip(self, stage: Stage) -> None:
        self._change(stage, status="skipped")

    def stop(self, at: datetime) -> None:
        """Mark the running stage, if any, as cancelled."""
        for stage in self.stages:
            if stage.status == "running":
                self.end(stage.name, "cancelled", at)

    def timings_ms(self, now: datetime) -> dict[str, float]:
        """Return milliseconds by stage, up to `now` for a running one, and in `total`."""
        spans = {
            stage.name.value: (stage.ended_at or now) - stage.started_at
            for stage in self.stages
            if stage.started_at is not None
        }
        spans["total"] = now - self._asked_at
        return {name: span / timedelta(milliseconds=1) for name, span in spans.items()}

    def _change(self, stage: Stage, **update: object) -> None:
        self._stages[stage] = self._stages[stage].model_copy(update=update)
