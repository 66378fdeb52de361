"""Deletion of uploads to which no running ingestion refers, except the files of PDF documents."""

import asyncio
import logging
from collections.abc import Iterator

from fastapi.concurrency import run_in_threadpool

from api.ingestions.states import find_ingestion
from api.temporal import Temporal
from core.bootstrap import Core
from core.contracts.ingest import FILE_HASH
from core.domain.errors import NalandaError, NotFound, Unavailable
from core.indexing.views.catalog import CatalogState

SWEEP_S = 600.0
DOCUMENTS = "documents"
"""The name under which the files of documents are referred to, as if by an ingestion."""

_KEPT_SHARE = 2
"""One part in two of the room for uploads is left to ingestions."""

log = logging.getLogger(__name__)


async def sweep_forever(temporal: Temporal, core: Core, max_bytes: int) -> None:
    """Sweep now and then while this node leads; an error only ends one sweep.

    `max_bytes`: the room for uploads.
    """
    while True:
        try:
            if core.cluster.leads:
                await sweep(temporal, core, max_bytes)
        except NalandaError as error:
            log.warning("The uploads can't be swept: %s", error)
        await asyncio.sleep(SWEEP_S)


async def sweep(temporal: Temporal, core: Core, max_bytes: int) -> None:
    """Forget the closed ingestions, and delete the uploads that none refers to any more.

    While Temporal is unreachable, all ingestions count as running.
    """
    closed = [
        workflow_id
        for workflow_id in await run_in_threadpool(core.uploads.ingestions)
        if workflow_id != DOCUMENTS and await _is_closed(temporal, core, workflow_id)
    ]
    # Their documents are on record by now.
    await run_in_threadpool(keep_files, core, max_bytes // _KEPT_SHARE)
    for workflow_id in closed:
        await run_in_threadpool(core.uploads.forget, workflow_id)
    await run_in_threadpool(core.uploads.sweep)


async def _is_closed(temporal: Temporal, core: Core, workflow_id: str) -> bool:
    try:
        async with temporal.calls() as client:
            ingestion = await find_ingestion(client, core.store.instance_id, workflow_id)
    except NotFound:
        return True
    except Unavailable:
        return False
    return ingestion.closed_status is not None


def keep_files(core: Core, max_bytes: int) -> None:
    """Refer to the files of the documents, those of the newest ones if there is no room for all."""
    kept: list[str] = []
    for sha256 in dict.fromkeys(_files_of(core.catalog.state)):
        try:
            max_bytes -= core.uploads.size_bytes(sha256)
        except NotFound:  # ingested before a restore, or on another machine
            continue
        if max_bytes < 0:
            break
        kept.append(sha256)
    core.uploads.forget(DOCUMENTS)  # those of documents that are gone
    if kept:
        core.uploads.refer(DOCUMENTS, kept)


def _files_of(state: CatalogState) -> Iterator[str]:
    """Yield the hashes of the documents' files, the newest document's first."""
    documents = [each for view in state.views.values() for each in view.documents.values()]
    for document in sorted(documents, key=lambda each: each.version, reverse=True):
        sha256 = document.metadata.get(FILE_HASH)
        if isinstance(sha256, str):
            yield sha256
