"""The readers of a server: what clients see, and what ends with what."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.stack import NALANDA, Stack, can_connect
from tests.waiting import until

READERS = 3
LIBRARY = {"name": "harbours", "dimension": 2}
CLOSE = {"Connection": "close"}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path) as stack:
        stack.environments = {"api": {"NALANDA_READERS": str(READERS)}}
        stack.start("api")
        until(lambda: all_serve(stack, tmp_path), 120)
        yield stack


def readers_of(stack: Stack) -> list[int]:
    """Return the process ids of the readers."""
    writer = stack.pid("api")
    children = Path(f"/proc/{writer}/task").glob("*/children")
    pids = {int(pid) for path in children for pid in path.read_text().split()}
    return sorted(filter(is_reader, pids))


def is_reader(pid: int) -> bool:
    try:
        return b"cli.processes.reader" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return False


def all_serve(stack: Stack, tmp_path: Path) -> bool:
    """Send a request on a new connection; return whether each process has counted one."""
    with client_of(stack) as client:
        client.get("/livez").raise_for_status()
    counts = list((tmp_path / "data" / "metrics").glob("counter_*.db"))
    return len(readers_of(stack)) == READERS - 1 and len(counts) == READERS


def put_chunk(client: httpx.Client, number: int) -> httpx.Response:
    chunk = {"id": f"c{number}", "text": f"harbour {number}", "embedding": [1.0, number]}
    return client.put(f"/libraries/harbours/chunks/c{number}", json={**chunk, "document_id": "d"})


def fill(client: httpx.Client) -> None:
    assert client.post("/libraries", json=LIBRARY).status_code == 201
    document = {"title": "Harbours", "chunks": []}
    assert client.put("/libraries/harbours/documents/d", json=document).status_code in {200, 201}


def client_of(stack: Stack) -> httpx.Client:
    """Return a client with a new connection for each request."""
    return httpx.Client(
        base_url=stack.api_url, headers=CLOSE, timeout=30, trust_env=False, verify=False
    )


def test_each_process_reads_every_acknowledged_write(stack: Stack) -> None:
    search = {"embedding": [1.0, 0.0], "k": 100, "mode": "vector"}
    with client_of(stack) as client:
        fill(client)
        for number in range(60):
            position = int(put_chunk(client, number).headers["Nalanda-Position"])
            answer = client.post("/libraries/harbours/search", json=search)
            assert len(answer.json()["hits"]) == number + 1
            assert int(answer.headers["Nalanda-Position"]) >= position
            listed = client.get("/libraries/harbours/chunks", params={"limit": 100})
            assert len(listed.json()["items"]) == number + 1
        text = client.post(
            "/libraries/harbours/search",
            json={"text": "harbour 7", "mode": "lexical", "k": 1},
            headers={"Nalanda-Consistency": "session"},
        )
        assert text.json()["hits"][0]["chunk_id"] == "c7"
        metrics = client.get("/metrics").text
    [writes] = [
        line
        for line in metrics.splitlines()
        if line.startswith("nalanda_http_requests_total{")
        and 'method="PUT"' in line
        and "chunks/{chunk_id}" in line
    ]
    assert float(writes.split()[-1]) >= 60


def test_a_killed_reader_is_started_again(stack: Stack) -> None:
    before = readers_of(stack)
    os.kill(before[0], signal.SIGKILL)
    until(lambda: before[0] not in readers_of(stack) and len(readers_of(stack)) == READERS - 1)
    with client_of(stack) as client:
        fill(client)
        assert put_chunk(client, 1).status_code == 201


def test_readers_end_with_the_writer(stack: Stack) -> None:
    pids = readers_of(stack)
    port = int(stack.api_url.rsplit(":", 1)[1])
    stack.kill("api")
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    assert not can_connect(port)


def test_a_stop_under_load_fails_no_request(stack: Stack) -> None:
    statuses: list[int] = []
    stopped = threading.Event()

    def call() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            try:
                with client_of(stack) as client:
                    statuses.append(put_chunk(client, number).status_code)
                    statuses.append(client.get("/libraries/harbours/chunks").status_code)
            except httpx.TransportError:  # the server has ended
                return

    with client_of(stack) as client:
        fill(client)
    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    until(lambda: len(statuses) > 50)
    pids = readers_of(stack)
    assert stack.stop("api") in {0, -signal.SIGTERM}
    stopped.set()
    for caller in callers:
        caller.join()
    assert set(statuses) <= {200, 201}
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_consistency_that_is_not_known_is_refused(stack: Stack) -> None:
    with client_of(stack) as client:
        answer = client.get("/libraries", headers={"Nalanda-Consistency": "linear"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/Nalanda-Consistency"


def test_a_server_that_is_refused_leaves_the_counts(stack: Stack, tmp_path: Path) -> None:
    metrics = tmp_path / "data" / "metrics"
    # The server that runs may add a file of its own at any moment: none may go, none be emptied.
    before = {path.name: path.stat().st_size for path in metrics.iterdir()}
    assert before
    command = [NALANDA, "serve", "--port", "0", "--data", str(tmp_path / "data"), "--readers", "2"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "is in use by process" in refused.stderr
    after = {path.name: path.stat().st_size for path in metrics.iterdir()}
    assert all(after.get(name, 0) >= size for name, size in before.items())
