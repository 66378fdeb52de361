"""Cancellation, pause and resumption of an ingestion."""

from temporalio.service import RPCError, RPCStatusCode

from api.ingestions.states import IngestionExecution, find_ingestion
from api.temporal import Temporal
from core.domain.errors import Conflict


async def cancel(temporal: Temporal, instance_id: str, workflow_id: str) -> str | None:
    """Request cancellation, after which the documents that it added are removed. Idempotent.

    Returns:
        The id of the ingestion's library, if the cluster knows it.

    Raises:
        NotFound: there is no such ingestion.
        Unavailable: Temporal is unreachable.
        Conflict: the ingestion has closed with another status.
    """
    ingestion = await _steer(temporal, instance_id, workflow_id, None)
    return ingestion.library_id


async def send_signal(temporal: Temporal, instance_id: str, workflow_id: str, name: str) -> None:
    """Send the signal `pause` or `resume`.

    Raises:
        NotFound: there is no such ingestion.
        Unavailable: Temporal is unreachable.
        Conflict: the ingestion has closed.
    """
    await _steer(temporal, instance_id, workflow_id, name)


async def _steer(
    temporal: Temporal, instance_id: str, workflow_id: str, signal: str | None
) -> IngestionExecution:
    async with temporal.calls() as client:
        ingestion = await find_ingestion(client, instance_id, workflow_id)
        status = ingestion.closed_status
        if status == "cancelled" and signal is None:
            return ingestion
        if status is not None:
            raise Conflict(f"The ingestion has already closed: its status is {status}.")
        # Without a run id, so that a run that continues this one gets the signal.
        handle = client.get_workflow_handle(workflow_id)
        try:
            await (handle.cancel() if signal is None else handle.signal(signal))
        except RPCError as error:
            if error.status is RPCStatusCode.ALREADY_EXISTS:  # cancelled before
                return ingestion
            if error.status is RPCStatusCode.NOT_FOUND:
                raise Conflict("The ingestion has just closed.") from error
            raise
        return ingestion
