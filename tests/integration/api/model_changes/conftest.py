"""The app of the tests of model changes, without and with a worker."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from temporalio.client import Client

from api.main import create_app
from core.settings import Settings
from tests.integration.api.model_changes.stack import Stack
from tests.two_models import SpacedEmbedder


@pytest.fixture
def embedders(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, SpacedEmbedder]:
    """Give the app the models `old` and `new`, of the same dimension, and `wide`."""
    models = [SpacedEmbedder("old", 32), SpacedEmbedder("new", 32), SpacedEmbedder("wide", 48)]
    found = {model.model: model for model in models}
    monkeypatch.setattr("core.providers.registry.embedders", lambda _settings: found)
    return found


@pytest.fixture
def settings(tmp_path: Path, temporal_address: str, request: pytest.FixtureRequest) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        temporal_address=temporal_address,
        task_queue=f"{request.node.name}-{id(request)}",
        provider="local",
    )


@pytest.fixture
async def idle(
    settings: Settings, temporal: Client, embedders: Mapping[str, SpacedEmbedder]
) -> AsyncIterator[Stack]:
    """Yield a stack with a filled library `l`, without a worker."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        stack = Stack(app, settings, temporal, embedders)
        async with stack.http, stack.sdk:
            await stack.fill()
            yield stack


@pytest.fixture
async def stack(idle: Stack) -> AsyncIterator[Stack]:
    async with idle.worker():
        yield idle
