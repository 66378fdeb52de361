"""The app in process, over its own database, without Temporal."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from core.settings import Settings
from tests.integration.api.calls import open_client


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        temporal_address="127.0.0.1:1",
        provider="local",
        min_position_wait_s=0.05,
        max_body_bytes=1_000_000,
    )


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(settings) as client:
        yield client


@pytest.fixture
async def library(api: httpx.AsyncClient) -> str:
    """Return the id of a library `l` of two-dimensional vectors."""
    created = await api.put("/libraries/l", json={"name": "planar", "dimension": 2})
    assert created.status_code == 201
    return "l"


@pytest.fixture
async def document(api: httpx.AsyncClient, library: str) -> str:
    """Return the path of a document `d` with the chunks `a`, `b` and `c`."""
    path = f"/libraries/{library}/documents/d"
    chunks = [
        {"id": "a", "text": "alpha", "embedding": [1, 0], "metadata": {"n": 1, "tags": ["x"]}},
        {"id": "b", "text": "beta", "embedding": [0.6, 0.8], "metadata": {"n": 2}},
        {"id": "c", "text": "gamma", "embedding": [0, 1], "metadata": {"n": 3}},
    ]
    created = await api.put(path, json={"title": "Letters", "chunks": chunks})
    assert created.status_code == 201
    return path
