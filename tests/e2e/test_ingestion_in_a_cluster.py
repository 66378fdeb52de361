"""An ingestion outlives the node that took its files."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from nalanda import PreconditionFailedError
from tests.e2e.nodes import call, leader_of, nodes_of, open_services
from tests.e2e.stack import Stack
from tests.postgres import PostgresServer
from tests.waiting import until

FILES = 60
TIMEOUT_S = 180


@pytest.fixture
def nodes(postgres: PostgresServer, tmp_path: Path) -> Iterator[Sequence[Stack]]:
    """Yield a leader and a follower; a worker uses the follower."""
    with postgres.database() as url, open_services(tmp_path) as services:
        settings = {"NALANDA_LEASE_S": "2", "NALANDA_TEMPORAL_ADDRESS": services.temporal_address}
        with nodes_of(tmp_path, url, 2, **settings) as nodes:
            services.environments = {"worker": {"NALANDA_API_URL": nodes[1].api_url}}
            services.start("worker")
            yield nodes


def test_it_completes_on_the_next_leader(nodes: Sequence[Stack]) -> None:
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


def test_the_next_leader_refuses_the_writes_of_a_cancelled_one(nodes: Sequence[Stack]) -> None:
    first, second = nodes
    with second.client() as client:
        library = client.libraries.create("notes")
        started = client.ingestions.start_upload(library.id, {"a.md": b"# Harbour\n\nDeep."})
        client.ingestions.cancel(started.workflow_id)
        first.kill("api")
        until(lambda: leader_of(second.api_url) == second.api_url, TIMEOUT_S)
        late = partial(client.documents.replace, library.id, "late", title="Late")
        with pytest.raises(PreconditionFailedError, match="is cancelled"):
            late(ingestion=started.workflow_id)
        assert late().title == "Late"


def ended(stack: Stack, workflow_id: str) -> bool:
    """Return whether an ingestion has ended, as far as a node answers now."""
    response = call(stack.api_url, "GET", f"/ingest/{workflow_id}")
    assert response is not None
    return response.is_success and response.json()["status"] != "running"
