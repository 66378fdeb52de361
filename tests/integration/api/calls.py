"""What the API's tests have in common: an app that is served, and the shape of a problem."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from api.main import create_app
from core.settings import Settings

JSON = {"Content-Type": "application/json"}


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that is open for as long."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


def assert_problem(response: httpx.Response, status: int, *pointers: str) -> None:
    """It is a problem document of this status, with faults at exactly these pointers."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"] == response.request.url.raw_path.partition(b"?")[0].decode()
    assert [fault["pointer"] for fault in problem.get("errors", [])] == list(pointers)
