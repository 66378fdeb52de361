"""An app with two models, the worker of its changes, and a library of a few chunks."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from temporalio.client import Client

from core.settings import Settings
from nalanda import AsyncNalanda
from tests.two_models import SpacedEmbedder
from worker.stages import ingest_activities
from worker.temporal_worker import build_ingest_worker

DEADLINE_S = 60.0
POLL_S = 0.05
PATH = "/libraries/l/embedding-model"
IN_PROGRESS = {"staging", "comparing", "switching", "reverting"}
COUNT = 20


class Stack:
    """An app, its client, and the worker of its changes; `embedders` are the app's."""

    def __init__(
        self,
        app: Any,
        settings: Settings,
        temporal: Client,
        embedders: Mapping[str, SpacedEmbedder],
    ) -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.app = app
        self.embedders = embedders
        self.temporal = temporal
        self.http = httpx.AsyncClient(transport=transport, base_url="http://localhost")
        self.sdk = AsyncNalanda("http://localhost", transport=transport, max_retries=0)
        self._settings = settings

    def worker(self) -> Any:
        return build_ingest_worker(self.temporal, self._settings, ingest_activities(self.sdk))

    async def fill(self) -> None:
        """Create the library `l`, of the model `old`."""
        library = {"name": "library", "embedding_model": "old"}
        (await self.http.put("/libraries/l", json=library)).raise_for_status()
        chunks = [{"id": f"c{i:02}", "text": f"text {i}"} for i in range(COUNT)]
        created = await self.http.put("/libraries/l/documents/d", json={"chunks": chunks})
        created.raise_for_status()

    async def start(self, model: str = "new", **options: Any) -> str:
        """Start a change, and return the id of its workflow."""
        started = await self.http.post(PATH, json={"model": model}, **options)
        assert started.status_code == 202, started.text
        workflow_id: str = started.json()["workflow_id"]
        return workflow_id

    async def state(self) -> dict[str, Any]:
        response = await self.http.get(PATH)
        assert response.status_code == 200, response.text
        state: dict[str, Any] = response.json()
        return state

    async def until(self, *states: str) -> dict[str, Any]:
        """Wait for one of the states; without any, for the end."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                state = await self.state()
                if state["state"] in states or (not states and state["state"] not in IN_PROGRESS):
                    return state
                await asyncio.sleep(POLL_S)

    async def until_told(self, field: str) -> dict[str, Any]:
        """Wait for a state in which the field is not null."""
        async with asyncio.timeout(DEADLINE_S):
            while (state := await self.state())[field] is None:  # noqa: ASYNC110  # remote
                await asyncio.sleep(POLL_S)
        return state

    async def change(self, model: str = "new") -> dict[str, Any]:
        await self.start(model)
        return await self.until()

    async def model(self) -> str:
        model: str = (await self.http.get("/libraries/l")).json()["embedding_model"]
        return model

    async def best(self, number: int) -> tuple[str, float]:
        """Return the first hit of a search for a chunk's text."""
        body = {"text": f"text {number}", "k": 1}
        found = (await self.http.post("/libraries/l/search", json=body)).raise_for_status()
        (hit,) = found.json()["hits"]
        return hit["chunk_id"], round(hit["score"], 4)
