"""An ingestion outlives the node that took its files."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.e2e.stack import Stack, node_of
from tests.postgres import PostgresServer
from tests.waiting import until

FILES = 60
TIMEOUT_S = 180


@pytest.fixture
def nodes(postgres: PostgresServer, tmp_path: Path) -> Iterator[tuple[Stack, Stack]]:
    """Yield a leader, and a follower with Temporal and a worker, which uses the follower."""
    with postgres.database() as url, ExitStack() as stack:
        leader, follower = (
            stack.enter_context(node_of(tmp_path / name, url, NALANDA_LEASE_S="2"))
            for name in ("leader", "follower")
        )
        follower.start("temporal")
        address = {"NALANDA_TEMPORAL_ADDRESS": follower.temporal_address}
        leader.environments["api"] = {**leader.environments["api"], **address}
        leader.start("api")
        follower.start("api")
        follower.start("worker")
        yield leader, follower


def test_it_completes_on_the_next_leader(nodes: tuple[Stack, Stack]) -> None:
    first, second = nodes
    files = {f"{number:02}.md": f"# Harbour {number}\n\nDeep.".encode() for number in range(FILES)}
    with second.client() as client:
        library = client.libraries.create("notes")
        started = client.ingestions.start_upload(library.id, files)
        until(lambda: any(client.documents.list(library.id)), TIMEOUT_S)
        first.kill("api")
        until(lambda: ended(second, started.workflow_id), TIMEOUT_S)
        ingestion = client.ingestions.get(started.workflow_id)
        assert (ingestion.status, ingestion.failures) == ("completed", [])
        documents = client.documents.list(library.id)
        assert sorted(document.source or "" for document in documents) == sorted(files)


def ended(stack: Stack, workflow_id: str) -> bool:
    """Return whether an ingestion has ended, as far as a node answers now."""
    response = httpx.get(f"{stack.api_url}/ingest/{workflow_id}", timeout=30, trust_env=False)
    return response.is_success and response.json()["status"] != "running"
