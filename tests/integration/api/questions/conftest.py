"""Fixtures of questions on a real Temporal server, with a worker in process."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from api.app import App
from api.main import create_app
from core.contracts.names import task_queue_of
from core.settings import Settings
from tests.integration.api.script import Script


@pytest.fixture
def settings(settings: Settings, temporal_address: str, request: pytest.FixtureRequest) -> Settings:
    return settings.model_copy(
        update={
            "temporal_address": temporal_address,
            "temporal_ui_url": "http://ui/",
            "task_queue": request.node.name,
        }
    )


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[App]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def api(app: App) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
async def script(settings: Settings, temporal: Client) -> AsyncIterator[Script]:
    script = Script()
    async with script.worker(temporal, task_queue_of(None, settings.task_queue)):
        yield script
        script.held.set()
        script.written.set()
        script.gate.set()


@pytest.fixture
async def question(api: httpx.AsyncClient) -> dict[str, Any]:
    """Return a question for a library `texts` that has a model."""
    await api.put("/libraries/texts", json={"name": "t", "embedding_model": "wordllama-256"})
    return {"library": "t", "query": "What is alpha?"}


@pytest.fixture
async def talk(api: httpx.AsyncClient, question: dict[str, Any]) -> str:
    """Return the id of a conversation; the library of `question` is there."""
    conversation_id: str = (await api.post("/conversations", json={})).json()["id"]
    return conversation_id
