"""The app of the tests of ingestions, without and with a worker."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from core.settings import Settings
from tests.integration.api.ingestions.stack import Stack, stack_of


@pytest.fixture
def settings(tmp_path: Path, temporal_address: str, request: pytest.FixtureRequest) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        temporal_address=temporal_address,
        task_queue=f"{request.node.name}-{id(request)}",
        provider="local",
        max_body_bytes=1_000_000,
    )


@pytest.fixture
async def idle(settings: Settings, temporal: Client) -> AsyncIterator[Stack]:
    """Yield a stack with an empty library `l`, without a worker."""
    async with stack_of(settings, temporal) as stack:
        await stack.http.put("/libraries/l", json={"name": "library"})
        yield stack


@pytest.fixture
async def stack(idle: Stack) -> AsyncIterator[Stack]:
    async with idle.worker():
        yield idle
