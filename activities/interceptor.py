"""What holds for every attempt at every activity: its heartbeat, its number, its errors."""

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

from activities.errors import KNOWN, application_error, no_longer_wanted
from core.contracts.query import StageOutput

HEARTBEAT_EVERY_S = 1.0

log = logging.getLogger(__name__)


class AttemptInterceptor(Interceptor):
    """For a worker: its activities are `Attempt`s."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 (the base class names it so)
        return Attempt(next)


class Attempt(ActivityInboundInterceptor):
    """Heartbeats come from the event loop, so one is sent while an activity waits for an answer
    and while a thread computes; they are also how an activity hears that it is cancelled."""

    _outbound: ActivityOutboundInterceptor

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self._outbound = outbound
        super().init(outbound)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 (as above)
        attempt = activity.info().attempt
        output: StageOutput
        async with self._heartbeats():
            try:
                output = await super().execute_activity(input)
            except KNOWN as error:
                told = application_error(error, attempt)
                log.warning("%s, attempt %d: %s", activity.info().activity_type, attempt, told)
                # Not `from error`: causes go into history, with whatever a provider echoed.
                raise told from None
            except (asyncio.CancelledError, CancelledError):
                if _is_over():
                    raise no_longer_wanted() from None
                raise
        return output.model_copy(update={"attempt": attempt})

    @asynccontextmanager
    async def _heartbeats(self) -> AsyncIterator[None]:
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_EVERY_S)
            self._outbound.heartbeat()


def _is_over() -> bool:
    details = activity.cancellation_details()
    return details is not None and details.not_found
