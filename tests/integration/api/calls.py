"""Shared parts of the API's tests: a served app, and the form of a problem."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from api.main import create_app
from core.bootstrap import Core
from core.settings import Settings

JSON = {"Content-Type": "application/json"}


@asynccontextmanager
async def open_client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Open an app, and yield a client."""
    async with open_app(settings) as (client, _):
        yield client


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, Core]]:
    """Open an app, and yield a client and the app's core."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client, app.state.core


def assert_problem(response: httpx.Response, status: int, *pointers: str) -> None:
    """Check a problem document: its status, and faults at exactly these pointers."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"] == response.request.url.raw_path.partition(b"?")[0].decode()
    assert [fault["pointer"] for fault in problem.get("errors", [])] == list(pointers)
