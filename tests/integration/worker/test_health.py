"""The health check distinguishes a polling worker from one that does not poll."""

import os
import uuid

from temporalio.client import Client

from core.contracts.names import task_queue_of
from core.settings import Settings
from tests.integration.workflows.stages import Stages
from tests.temporal import free_port
from worker.cluster import wait_until_polling
from worker.health import check


async def test_this_process_is_well_once_it_polls(temporal: Client, temporal_address: str) -> None:
    settings = Settings(temporal_address=temporal_address, task_queue=f"test-{uuid.uuid4()}")
    assert not await check(settings, os.getpid())
    async with Stages().run_worker(temporal, task_queue_of(None, settings.task_queue)):
        await wait_until_polling(
            temporal, task_queue_of(None, settings.task_queue), temporal.identity
        )
        assert await check(settings, os.getpid())
        assert not await check(settings, os.getpid() + 1)


async def test_without_a_server_it_is_not_well() -> None:
    settings = Settings(temporal_address=f"127.0.0.1:{free_port()}")
    assert not await check(settings, os.getpid())
