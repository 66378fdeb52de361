"""`nalanda ingest` by workflows: what it sends, and what it says of what became of it."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.interruption import INTERRUPTED, Interrupted
from tests.event_stream import event_stream
from tests.unit.cli.conftest import ENTITY, NOW, Run, Server

READY = {"ready": True, "checks": {"temporal": "ok", "worker": "ok"}}
HANDLE = {"workflow_id": "ingest-1", "run_id": "r", "status_url": "/s", "events_url": "/e"}
STATE = {
    "workflow_id": "ingest-1",
    "status": "paused",
    "files": {"total": 3, "added": 1, "failed": 1},
    "failures": [{"source": "x.md", "detail": "It is poisoned."}],
    "started_at": ENTITY["created_at"],
}
INGEST = "/libraries/l-books/ingest"
EVENTS = "/ingest/ingest-1/events"


@pytest.fixture
def folder(tmp_path: Path, server: Server) -> Path:
    server.answer("/readyz", READY)
    server.answer(INGEST, httpx.Response(202, json=HANDLE))
    root = tmp_path / "docs"
    root.mkdir()
    for name in ("a.md", "b.md", "c.md"):
        (root / name).write_text(f"# {name}")
    return root


def stream(*events: tuple[int, str, object]) -> httpx.Response:
    return httpx.Response(200, text=event_stream(*events))


def outcome(path: Path, status: str, **more: Any) -> dict[str, Any]:
    return {"source": path.as_uri(), "status": status, "chunks": 1, **more}


def started(server: Server) -> list[Any]:
    """Return the items of each ingestion that was started."""
    posts = [r for r in server.requests if r.url.path == INGEST]
    bodies = [r.content for r in posts if r.headers["Content-Type"] == "application/json"]
    return [json.loads(body)["items"] for body in bodies]


def test_files_are_sent_together_and_each_outcome_is_said(
    run: Run, server: Server, folder: Path
) -> None:
    a, b, c = folder / "a.md", folder / "b.md", folder / "c.md"
    server.answer(
        EVENTS,
        stream((2, "file", outcome(a, "added")), (3, "progress", {})),
        stream(
            (4, "file", outcome(b, "failed", detail="It is poisoned.")),
            (6, "file", outcome(c, "changed", chunks=0)),
            (1_000_000, "result", STATE),
        ),
    )
    said = run("ingest", str(folder), "-l", "books")
    assert said.status == 1
    assert said.out.splitlines() == [
        f"added\t{a}",
        f"changed\t{c}",
        "Library books: 1 added, 1 changed, 0 unchanged, 1 failed.",
    ]
    assert said.err.splitlines() == [
        f"{b}: It is poisoned.",
        f"{c}: has no text, so no search will find it",
    ]
    [items] = started(server)
    assert [item["source"] for item in items] == [path.as_uri() for path in (a, b, c)]
    assert items[0]["text"] == "# a.md"
    assert items[0]["metadata"]["content_sha256"]


def test_what_is_not_utf_8_is_sent_as_it_is(run: Run, server: Server, folder: Path) -> None:
    contents = {
        "a.md": "Порт".encode("cp1251"),
        "b.md": "Порт".encode("utf-16"),
        "c.md": b"%PDF\xff",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    server.answer(EVENTS, stream((1_000_000, "result", STATE)))
    run("ingest", str(folder), "-l", "books")
    [items] = started(server)
    assert [b64decode(item["content_base64"]) for item in items] == list(contents.values())


def test_a_stream_is_resumed_while_the_server_restarts_and_given_up_in_the_end(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "b.md").unlink()
    (folder / "c.md").unlink()
    away = [httpx.ConnectError("refused")] * 20
    first = stream((2, "file", outcome(folder / "a.md", "added")))
    server.answer(EVENTS, first, *away, stream((1_000_000, "result", STATE)))
    assert "1 added" in run("ingest", str(folder), "-l", "books").out
    server.answer(EVENTS, httpx.ConnectError("refused"))
    said = run("ingest", str(folder), "-l", "books")
    assert said.status == 1
    assert "could not be reached" in said.err


def test_what_is_unchanged_is_not_sent(run: Run, server: Server, folder: Path) -> None:
    run("ingest", "--direct", str(folder), "-l", "books")
    (folder / "b.md").write_text("other")
    changed = outcome(folder / "b.md", "changed")
    server.answer(EVENTS, stream((2, "file", changed), (1_000_000, "result", STATE)))
    said = run("ingest", str(folder), "-l", "books")
    assert "0 added, 1 changed, 2 unchanged, 0 failed" in said.out
    assert [len(items) for items in started(server)] == [1]


@pytest.mark.parametrize("way", [(), ("--direct",)])
def test_documents_of_many_files_are_listed(
    way: tuple[str, ...],
    run: Run,
    server: Server,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run("ingest", "--direct", str(folder), "-l", "books")
    monkeypatch.setattr("cli.ingestion.stored.LISTED_FROM", 3)
    server.requests.clear()
    assert "3 unchanged" in run("ingest", str(folder), "-l", "books", *way).out
    about_documents = [r.url.path for r in server.requests if "/documents" in r.url.path]
    assert about_documents == ["/libraries/l-books/documents"]
    assert not started(server)


def test_many_files_are_several_ingestions(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.ingestion.durable.FILES_AT_ONCE", 2)
    server.answer(EVENTS, stream((1_000_000, "result", STATE)))
    run("ingest", str(folder), "-l", "books")
    assert [len(items) for items in started(server)] == [2, 1]
    monkeypatch.setattr("cli.ingestion.durable.BYTES_AT_ONCE", 10)
    run("ingest", str(folder), "-l", "books")
    assert [len(items) for items in started(server)] == [2, 1, 1, 1, 1]


def test_all_are_started_before_the_first_is_followed(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.ingestion.durable.FILES_AT_ONCE", 1)
    handles = [{**HANDLE, "workflow_id": f"ingest-{n}"} for n in range(1, 4)]
    server.answer(INGEST, *(httpx.Response(202, json=handle) for handle in handles))
    server.answer(EVENTS, stream((1_000_000, "result", STATE)))
    server.answer("/ingest/ingest-2/events", Interrupted())
    said = run("ingest", str(folder), "-l", "books")
    assert said.status == INTERRUPTED
    assert [len(items) for items in started(server)] == [1, 1, 1]
    assert said.err.splitlines()[0] == (
        "2 ingestions go on; `nalanda cancel ingest-2 ingest-3` stops them and deletes what they "
        "have added."
    )


def test_files_that_are_too_large_together_are_halved(
    run: Run, server: Server, folder: Path
) -> None:
    problem = {"title": "Content Too Large", "detail": "Too many bytes."}

    def post(request: httpx.Request) -> httpx.Response:
        items = json.loads(request.content)["items"]
        fits = len(items) == 1 and not items[0]["source"].endswith("b.md")
        return httpx.Response(202, json=HANDLE) if fits else httpx.Response(413, json=problem)

    server.handlers[INGEST] = post
    server.answer(EVENTS, stream((1_000_000, "result", STATE)))
    said = run("ingest", str(folder), "-l", "books")
    assert said.err == (
        f"{folder}/b.md: 413 Content Too Large: Too many bytes. To ingest it, split the file, or "
        "raise NALANDA_MAX_BODY_BYTES of the server.\n"
    )
    assert [len(items) for items in started(server)] == [3, 1, 2, 1, 1]


def test_a_large_file_is_uploaded_alone_as_it_is(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.ingestion.durable.BYTES_AT_ONCE", 100)
    content = b"%PDF\xff" * 100
    (folder / "b.pdf").write_bytes(content)
    server.answer(EVENTS, stream((1_000_000, "result", STATE)))
    run("ingest", str(folder), "-l", "books")
    posts = [request for request in server.requests if request.url.path == INGEST]
    (upload,) = (r for r in posts if r.headers["content-type"].startswith("multipart/form-data"))
    assert content in upload.content
    assert (folder / "b.pdf").as_uri().encode() in upload.content
    assert b'{"metadata":{"content_sha256":"' in upload.content


def test_a_path_that_is_too_long_fails_alone(run: Run, server: Server, folder: Path) -> None:
    deep = folder / ("深い" * 30) / ("港" * 60)
    deep.mkdir(parents=True)
    (deep / "d.md").write_text("# D")
    server.answer(EVENTS, stream((1_000_000, "result", STATE)))
    said = run("ingest", str(folder), "-l", "books")
    assert "as a URI, and an ingestion takes 1024; shorten it, or use --direct" in said.err
    assert [len(items) for items in started(server)] == [3]


def test_an_ingestion_that_fails_as_a_whole_ends_the_run(
    run: Run, server: Server, folder: Path
) -> None:
    gone = {"status": "failed", "detail": "There is no library 'l-books'."}
    server.answer(EVENTS, stream((1_000_000, "error", gone)))
    said = run("ingest", str(folder), "-l", "books")
    assert said.status == 1
    assert "nalanda: The ingestion ended: There is no library 'l-books'." in said.err


def test_without_temporal_it_says_so(run: Run, server: Server, folder: Path) -> None:
    server.answer("/readyz", {"ready": True, "checks": {"temporal": "unreachable"}})
    said = run("ingest", str(folder), "-l", "books")
    assert said.status == 1
    assert "nalanda: Temporal is unreachable, and ingestions need it." in said.err


def test_each_obstacle_is_said_once_until_it_is_over(
    run: Run, server: Server, folder: Path
) -> None:
    away = {"waiting_for": "worker", "last_failure": None}
    down = {"waiting_for": None, "last_failure": "503 Unavailable: the provider is down"}
    none = {"waiting_for": None, "last_failure": None}
    progress = [away, away, {**down, "waiting_for": "worker"}, down, none, away]
    events = [(n, "progress", state) for n, state in enumerate(progress, start=1)]
    server.answer(EVENTS, stream(*events, (1_000_000, "result", STATE)))
    assert run("ingest", str(folder), "-l", "books").err.splitlines() == [
        "Waiting for a worker: start one with `nalanda worker`.",
        "Trying again after a failure: 503 Unavailable: the provider is down",
        "Waiting for a worker: start one with `nalanda worker`.",
    ]


def test_an_ingestion_is_shown_and_cancelled(run: Run, server: Server) -> None:
    server.answer("/ingest/ingest-1", STATE)
    said = run("status", "ingest-1")
    assert said.out.splitlines() == [
        "ingest-1  paused",
        "3 total, 1 added, 0 changed, 0 unchanged, 1 failed, 0 removed, 0 pruned",
        "x.md: It is poisoned.",
    ]
    waits = {**STATE, "waiting_for": "worker", "last_failure": "503", "next_attempt_at": NOW}
    server.answer("/ingest/ingest-1", waits)
    shown = run("status", "ingest-1").out.splitlines()
    assert shown[2].startswith("Trying again after a failure: 503 Next attempt at ")
    assert shown[3] == "Waiting for a worker: start one with `nalanda worker`."
    assert json.loads(run("status", "ingest-1", "--json").out)["status"] == "paused"
    server.answer("/ingest/ingest-1/cancel", httpx.Response(202, json={"workflow_id": "ingest-1"}))
    server.answer("/query/query-1/cancel", httpx.Response(202, json={"workflow_id": "query-1"}))
    said = run("cancel", "ingest-1", "query-1")
    assert said.out.splitlines() == [
        "Requested cancellation of the ingestion ingest-1.",
        "Requested cancellation of the question query-1.",
    ]
