"""An app with the worker of its ingestions, and the files that are sent to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from temporalio.client import Client

from api.main import create_app
from core.settings import Settings
from nalanda import AsyncNalanda
from worker.stages import ingest_activities
from worker.temporal_worker import build_ingest_worker

DEADLINE_S = 60.0
POLL_S = 0.05
PORTS = "# Ports\n\nThe harbour of Tamralipti is nine fathoms deep.\n"
SPICES = "# Spices\n\nPepper is sold by the bahar in Calicut.\n"


class Stack:
    """An app, its client, and the worker of its ingestions."""

    def __init__(self, app: Any, settings: Settings, temporal: Client) -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.app = app
        self.settings = settings
        self.http = httpx.AsyncClient(transport=transport, base_url="http://localhost")
        self.sdk = AsyncNalanda("http://localhost", transport=transport, max_retries=0)
        self.temporal = temporal

    def worker(self) -> Any:
        return build_ingest_worker(self.temporal, self.settings, ingest_activities(self.sdk))

    async def post(self, library: str, **call: Any) -> httpx.Response:
        return await self.http.post(f"/libraries/{library}/ingest", **call)

    async def start(self, *items: dict[str, Any], **options: Any) -> str:
        """Start an ingestion into the library `l`, and return its id."""
        response = await self.post("l", json={"items": items, **options})
        assert response.status_code == 202, response.text
        workflow_id: str = response.json()["workflow_id"]
        return workflow_id

    async def state(self, workflow_id: str) -> dict[str, Any]:
        response = await self.http.get(f"/ingest/{workflow_id}")
        assert response.status_code == 200, response.text
        state: dict[str, Any] = response.json()
        return state

    async def until(self, workflow_id: str, wanted: Callable[[dict[str, Any]], bool]) -> Any:
        async with asyncio.timeout(DEADLINE_S):
            while not wanted(state := await self.state(workflow_id)):  # noqa: ASYNC110  # remote
                await asyncio.sleep(POLL_S)
        return state

    async def closed(self, workflow_id: str) -> dict[str, Any]:
        def is_closed(state: dict[str, Any]) -> bool:
            return state["status"] not in {"running", "paused"}

        state: dict[str, Any] = await self.until(workflow_id, is_closed)
        return state

    async def ingest(self, *items: dict[str, Any], **options: Any) -> dict[str, Any]:
        return await self.closed(await self.start(*items, **options))

    async def documents(self) -> dict[str | None, Any]:
        listed = (await self.http.get("/libraries/l/documents")).json()["items"]
        return {document["source"]: document for document in listed}


@asynccontextmanager
async def stack_of(settings: Settings, temporal: Client) -> AsyncIterator[Stack]:
    """Run an app over the settings' data directory."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        stack = Stack(app, settings, temporal)
        async with stack.http, stack.sdk:
            yield stack


def text(source: str, content: str, **more: Any) -> dict[str, Any]:
    return {"source": source, "text": content, **more}


def counts(state: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in state["files"].items() if count and name != "total"}
