"""Waiting for the changes of a question, which the cluster pushes as they enter its history."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.service import RPCError

from api.temporal import Temporal
from core.domain.errors import Unavailable

RETRY_AFTER_S = 2.0

_CHANGES = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    }
)
"""The events with which the state of a question changes: the end of the workflow's own steps."""


class HistoryChanges:
    """The changes of one question; one long poll of the cluster waits for the next."""

    def __init__(self, temporal: Temporal, workflow_id: str) -> None:
        self._watching = asyncio.create_task(self._watch(temporal, workflow_id))
        self._changed = asyncio.Event()

    async def wait(self, timeout_s: float, other: asyncio.Event) -> bool:
        """Return True once there was a change since the last call.

        Return False after the time, or once `other` is set.

        Raises:
            Unavailable: Temporal is unreachable.
        """
        waiting = [asyncio.create_task(event.wait()) for event in (self._changed, other)]
        try:
            await asyncio.wait(
                [*waiting, self._watching],
                timeout=timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for task in waiting:
                task.cancel()
        if self._changed.is_set():
            self._changed.clear()
            return True
        if self._watching.done() and not other.is_set():
            self._watching.result()
            # The history has ended, so the next read of the state is the last one.
            return True
        return False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._watching.cancel()
        with suppress(asyncio.CancelledError, Unavailable):
            await self._watching

    async def _watch(self, temporal: Temporal, workflow_id: str) -> None:
        client = await temporal.client()
        history = client.get_workflow_handle(workflow_id).fetch_history_events(wait_new_event=True)
        while True:
            try:
                await history.fetch_next_page()
            except RPCError as error:
                detail = f"Temporal refused the call: {error.message}"
                raise Unavailable(detail, retry_after_s=RETRY_AFTER_S) from error
            if any(map(_is_change, history.current_page or ())):
                self._changed.set()
            if history.next_page_token is None:
                return


def _is_change(event: HistoryEvent) -> bool:
    return event.event_type in _CHANGES
