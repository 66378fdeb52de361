"""A server for all contract tests, with clients that record their calls."""

import asyncio
from collections.abc import Iterator
from typing import cast
from uuid import uuid4

import httpx
import pytest

from nalanda import AsyncNalanda, Nalanda
from tests.e2e.contract.blocking import Blocking
from tests.e2e.contract.recording import AsyncRecording, Record, Recording
from tests.e2e.stack import Stack, second_model
from tests.openai_server import OpenAIServer

TIMEOUT_S = 30
TEXTS = (
    "The harbour of Tamralipti is nine fathoms deep at high tide.",
    "Caravans from the west carry horses and lapis lazuli.",
    "The library of the monastery had three buildings, one of them nine storeys high.",
    "Monks copied each palm-leaf manuscript twice before it was lent.",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the comparison of all calls with all routes to the end."""
    items.sort(key=lambda item: item.path.name == "test_completeness.py")


@pytest.fixture(scope="session")
def models() -> Iterator[OpenAIServer]:
    """Yield the server of a second embedding model, `embedder`."""
    with OpenAIServer() as server:
        yield server


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, models: OpenAIServer) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("contract")) as stack:
        both = second_model(models)
        # A read of a position that never comes waits the whole time.
        stack.environments = {
            "api": {**both, "NALANDA_MIN_POSITION_WAIT_S": "0.2"},
            "worker": both,
        }
        stack.start_all()
        yield stack


@pytest.fixture(scope="session")
def record() -> Record:
    return Record()


@pytest.fixture(scope="session")
def http(stack: Stack, record: Record) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=stack.api_url, transport=Recording(record.http), timeout=TIMEOUT_S, trust_env=False
    ) as client:
        yield client


@pytest.fixture(scope="session")
def sdk(stack: Stack, record: Record) -> Iterator[Nalanda]:
    with Nalanda(stack.api_url, timeout_s=TIMEOUT_S, transport=Recording(record.sdk)) as client:
        yield client


@pytest.fixture(scope="session")
def sdk_async(stack: Stack, record: Record) -> Iterator[Nalanda]:
    """Yield the asynchronous client with the interface of the blocking one."""
    transport = AsyncRecording(record.sdk_async)
    client = AsyncNalanda(stack.api_url, timeout_s=TIMEOUT_S, transport=transport)
    with asyncio.Runner() as runner:
        yield cast("Nalanda", Blocking(runner, client))
        runner.run(client.aclose())


@pytest.fixture
def name() -> str:
    """Return a unique name."""
    return f"library-{uuid4().hex[:12]}"


@pytest.fixture
def library(http: httpx.Client, name: str) -> str:
    """Return the id of an empty library of three-dimensional vectors."""
    created = http.post("/libraries", json={"name": name, "dimension": 3})
    return cast("str", created.raise_for_status().json()["id"])


@pytest.fixture(scope="session")
def harbours(http: httpx.Client) -> str:
    """Return the name of a library with `TEXTS` as chunks, ready for questions."""
    http.put("/libraries/harbours-id", json={"name": "harbours"}).raise_for_status()
    chunks = [{"text": text, "metadata": {"place": place}} for place, text in enumerate(TEXTS)]
    http.post("/libraries/harbours/documents", json={"chunks": chunks}).raise_for_status()
    return "harbours"


@pytest.fixture
def document(http: httpx.Client, library: str) -> str:
    """Return the path of a document with the chunks `a` and `b`."""
    chunks = [
        {"id": "a", "text": "First.", "embedding": [1, 0, 0], "metadata": {"year": 2001}},
        {"id": "b", "text": "Second.", "embedding": [0, 1, 0], "metadata": {"year": 2002}},
    ]
    created = http.post(f"/libraries/{library}/documents", json={"title": "T", "chunks": chunks})
    return created.raise_for_status().headers["Location"]
