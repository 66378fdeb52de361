"""Deletion of uploads to which no running ingestion refers."""

import asyncio
import logging

from fastapi.concurrency import run_in_threadpool

from api.ingestions.states import find_ingestion
from api.temporal import Temporal
from core.domain.errors import NalandaError, NotFound, Unavailable
from core.ports.uploads import UploadStore

SWEEP_S = 600.0

log = logging.getLogger(__name__)


async def sweep_forever(temporal: Temporal, uploads: UploadStore, instance_id: str) -> None:
    """Sweep now and then; an error only ends one sweep."""
    while True:
        try:
            await sweep(temporal, uploads, instance_id)
        except NalandaError as error:
            log.warning("The uploads can't be swept: %s", error)
        await asyncio.sleep(SWEEP_S)


async def sweep(temporal: Temporal, uploads: UploadStore, instance_id: str) -> None:
    """Forget the closed ingestions, and delete the uploads that none refers to any more.

    While Temporal is unreachable, all ingestions count as running.
    """
    for workflow_id in await run_in_threadpool(uploads.ingestions):
        try:
            async with temporal.calls() as client:
                ingestion = await find_ingestion(client, instance_id, workflow_id)
        except NotFound:
            await run_in_threadpool(uploads.forget, workflow_id)
            continue
        except Unavailable:
            break
        if ingestion.closed_status is not None:
            await run_in_threadpool(uploads.forget, workflow_id)
    await run_in_threadpool(uploads.sweep)
