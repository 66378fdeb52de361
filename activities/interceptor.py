"""Interceptor of all activity attempts: heartbeat, attempt number, errors, calls to providers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from temporalio import activity
from temporalio.exceptions import CancelledError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from activities.errors import KNOWN, application_error, workflow_ended
from core.contracts.budget import Budget, Spending
from core.contracts.query import BilledInput, BilledOutput, StageInput, StageOutput
from core.domain.errors import WrongInstance
from core.providers.metering import Meter, metering

HEARTBEAT_EVERY_S = 1.0

log = logging.getLogger(__name__)


class AttemptInterceptor(Interceptor):
    """An interceptor that wraps activities in `Attempt`, and refuses questions of other instances.

    `instance_id` is that of the worker's API; `None` for an API that has none.
    """

    def __init__(self, instance_id: str | None = None) -> None:
        self._instance_id = instance_id

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 (the base class names it so)
        attempt = Attempt(next)
        attempt.instance_id = self._instance_id
        return attempt


class Attempt(ActivityInboundInterceptor):
    """An attempt that heartbeats from the event loop while the activity waits or computes.

    The responses to heartbeats also tell the activity that it is cancelled.
    """

    _outbound: "_Heartbeats"
    instance_id: str | None = None

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self._outbound = _Heartbeats(outbound)
        super().init(self._outbound)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 (as above)
        given, attempt = input.args[0], activity.info().attempt
        meter = _meter_of(given)
        output: StageOutput
        async with self._heartbeats():
            try:
                self._require_own(given)
                with metering(meter):
                    output = await super().execute_activity(input)
            except KNOWN as error:
                failure = application_error(error, attempt, *self._report(given, meter))
                log.warning("%s, attempt %d: %s", activity.info().activity_type, attempt, failure)
                # Not `from error`: causes go into the history, with text that a provider echoed.
                raise failure from None
            except (asyncio.CancelledError, CancelledError):
                if _is_over():
                    raise workflow_ended() from None
                raise
        return _with_calls(output, meter).model_copy(update={"attempt": attempt})

    def _report(self, given: object, meter: Meter) -> list[Spending]:
        """Report the calls of a failed attempt to the next one, and return the report."""
        if not isinstance(given, BilledInput):
            return []
        spent = meter.report()
        self._outbound.heartbeat(spent)
        return [spent]

    def _require_own(self, given: object) -> None:
        """Check that the question belongs to this instance.

        Raises:
            WrongInstance: the question is another instance's.
        """
        wanted = given.instance_id if isinstance(given, StageInput) else None
        if wanted and self.instance_id and wanted != self.instance_id:
            raise WrongInstance(wanted=wanted, own=self.instance_id)

    @asynccontextmanager
    async def _heartbeats(self) -> AsyncIterator[None]:
        if activity.info().is_local:  # without heartbeats
            yield
            return
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_EVERY_S)
            self._outbound.repeat()


class _Heartbeats(ActivityOutboundInterceptor):
    """The heartbeats of an attempt; those of the interceptor repeat the activity's last details.

    Before its first own heartbeat, an activity keeps the details of the attempt before.
    """

    _details: tuple[Any, ...] | None = None

    def heartbeat(self, *details: Any) -> None:
        self._details = details
        super().heartbeat(*details)

    def repeat(self) -> None:
        if self._details is None:
            self._details = tuple(activity.info().heartbeat_details)
        super().heartbeat(*self._details)


def _meter_of(given: object) -> Meter:
    """Return the meter of the attempt, which continues from what earlier ones have reported."""
    info = activity.info()
    if not isinstance(given, BilledInput):
        return Meter(Budget(), Spending(), info.attempt)
    details = info.heartbeat_details
    earlier = Spending.model_validate(details[0]) if details else Spending()
    return Meter(given.budget or Budget(), earlier, info.attempt, most_calls=given.most_calls)


def _with_calls(output: StageOutput, meter: Meter) -> StageOutput:
    if not isinstance(output, BilledOutput):
        return output
    usage = output.usage.model_copy(update={"calls": meter.calls})
    changes = {"usage": usage, "estimated_tokens": meter.estimated_tokens}
    return output.model_copy(update=changes)


def _is_over() -> bool:
    details = activity.cancellation_details()
    return details is not None and details.not_found
