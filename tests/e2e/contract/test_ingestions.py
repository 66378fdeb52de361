"""Ingestions over HTTP and through both SDK clients."""

import hashlib
import time
from typing import Any

import httpx
import pytest

import nalanda
from nalanda import IngestItemOptions, Nalanda
from tests.integration.api.calls import assert_problem
from tests.unit.core.documents.pdf.files import HARBOUR, paragraph, story

PATIENCE_S = 120
NOTE = "# Harbour\n\nThe harbour of Tamralipti is nine fathoms deep.\n"
SHA256 = hashlib.sha256(NOTE.encode()).hexdigest()
MANY = 400
"""Enough files for the ingestion to be paused before its end."""


def _many() -> list[IngestItemOptions]:
    words = "Caravans carry horses and lapis lazuli. " * 40
    return [{"source": f"s/{n}.md", "text": f"# File {n}\n\n{words}"} for n in range(MANY)]


def _ended(http: httpx.Client, path: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        state: dict[str, Any] = http.get(path).json()
        if state["status"] not in {"running", "paused"}:
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.05)


def test_files_as_json_and_as_an_upload(http: httpx.Client, name: str) -> None:
    http.post("/libraries", json={"name": name}).raise_for_status()
    ingest = f"/libraries/{name}/ingest"
    items = {"items": [{"source": "s/harbour.md", "text": NOTE}]}

    started = http.post(ingest, json=items)
    assert started.status_code == 202
    assert started.headers["Location"] == started.json()["status_url"]
    assert http.get(f"/uploads/{SHA256}").content == NOTE.encode()
    state = _ended(http, started.json()["status_url"])
    assert (state["status"], state["files"]["added"], state["chunks"]) == ("completed", 1, 1)
    events = http.get(started.json()["events_url"]).text
    assert "event: file" in events
    assert "event: result" in events

    files = [("file", ("s/harbour.md", NOTE.encode())), ("file", ("s/bad.pdf", b"no PDF"))]
    uploaded = http.post(ingest, files=files)
    state = _ended(http, uploaded.json()["status_url"])
    assert (state["files"]["unchanged"], state["files"]["failed"]) == (1, 1)
    assert [failure["source"] for failure in state["failures"]] == ["s/bad.pdf"]
    assert_problem(http.post(f"{uploaded.json()['status_url']}/cancel"), 409)


def test_a_page_of_a_pdf(http: httpx.Client, name: str) -> None:
    http.post("/libraries", json={"name": name}).raise_for_status()
    files = {"file": ("s/harbour.pdf", story(paragraph(HARBOUR)))}
    _ended(http, http.post(f"/libraries/{name}/ingest", files=files).json()["status_url"])
    [document] = http.get(f"/libraries/{name}/documents").json()["items"]
    path = f"/libraries/{name}/documents/{document['id']}/pages"
    assert http.get(f"{path}/1").content.startswith(b"\x89PNG")
    assert_problem(http.get(f"{path}/2"), 404)
    assert_problem(http.get(f"{path}/first"), 422, "/page")
    assert_problem(http.get(f"/libraries/{name}/documents/none/pages/1"), 404)


def test_an_ingestion_is_paused_resumed_and_cancelled(http: httpx.Client, name: str) -> None:
    http.post("/libraries", json={"name": name}).raise_for_status()
    path = http.post(f"/libraries/{name}/ingest", json={"items": _many()}).json()["status_url"]

    for what in ("pause", "resume", "cancel"):
        assert http.post(f"{path}/{what}").status_code == 202
    ended = _ended(http, path)
    assert (ended["status"], ended["files"]["added"]) == ("cancelled", 0)
    assert http.get(f"/libraries/{name}/documents").json()["items"] == []


def test_it_is_not_there(http: httpx.Client) -> None:
    assert_problem(http.get("/ingest/none"), 404)
    assert_problem(http.get("/ingest/none/events"), 404)
    assert_problem(http.get(f"/uploads/{'0' * 64}"), 404)
    for what in ("pause", "resume", "cancel"):
        assert_problem(http.post(f"/ingest/none/{what}"), 404)
    missing = http.post("/libraries/none/ingest", json={"items": [{"source": "s", "text": "T"}]})
    assert_problem(missing, 404)


def test_a_library_of_own_vectors_takes_no_files(http: httpx.Client, document: str) -> None:
    library = document.split("/")[2]
    items = {"items": [{"source": "s", "text": "T"}]}
    assert_problem(http.post(f"/libraries/{library}/ingest", json=items), 422, "/library_id")


@pytest.mark.parametrize("fixture", ["sdk", "sdk_async"])
def test_through_the_sdk(fixture: str, request: pytest.FixtureRequest, name: str) -> None:
    client: Nalanda = request.getfixturevalue(fixture)
    client.libraries.create(name)
    handle = client.ingestions.start(name, [{"source": "s/harbour.md", "text": NOTE}])

    assert client.ingestions.upload(SHA256) == NOTE.encode()
    ended = client.ingestions.wait(handle.workflow_id, timeout_s=PATIENCE_S)
    assert (ended.status, ended.files.added) == ("completed", 1)
    assert list(client.ingestions.events(handle.workflow_id))[-1].event == "result"

    pdf = story(paragraph(HARBOUR))
    handle = client.ingestions.start(name, [{"source": "s/harbour.pdf", "content": pdf}])
    client.ingestions.wait(handle.workflow_id, timeout_s=PATIENCE_S)
    [document] = [each for each in client.documents.list(name) if "pdf" in str(each.source)]
    picture = client.documents.page(name, document.id, 1)
    assert (picture.png[1:4], picture.scale) == (b"PNG", 2.0)

    many = client.ingestions.start(name, _many())
    client.ingestions.pause(many.workflow_id)
    client.ingestions.resume(many.workflow_id)
    client.ingestions.cancel(many.workflow_id)
    assert client.ingestions.wait(many.workflow_id, timeout_s=PATIENCE_S).status == "cancelled"
    with pytest.raises(nalanda.ConflictError):
        client.ingestions.cancel(handle.workflow_id)
