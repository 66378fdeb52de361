"""The app in process, with its spans recorded in memory."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from core.settings import Settings
from tests.integration.api.calls import open_client
from tests.spans import RecordedSpans, record_spans


@pytest.fixture
def recorded() -> Iterator[RecordedSpans]:
    with record_spans() as spans:
        yield spans


@pytest.fixture
async def api(recorded: RecordedSpans, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(
        data_dir=tmp_path / "data", temporal_address="127.0.0.1:1", provider="local"
    )
    async with open_client(settings) as client:
        created = await client.put("/libraries/l", json={"name": "planar", "dimension": 2})
        assert created.status_code == 201
        recorded.clear()
        yield client
