"""`nalanda library embedding-model`."""

import json
from typing import Any

import httpx
import pytest

from tests.unit.cli.conftest import Run, Server

PATH = "/libraries/books/embedding-model"
HANDLE = {"workflow_id": "w", "run_id": "r", "status_url": "http://localhost/s"}
STAGING = {
    "state": "staging",
    "workflow_id": "w",
    "old": {"model": "a", "dimension": 3},
    "new": {"model": "b", "dimension": 4},
    "staged": 5,
    "total": 9,
}
SCORES = {"recall_at_10": 0.5, "ndcg_at_10": 0.25}
SWITCHED = {
    **STAGING,
    "state": "switched",
    "revertable": True,
    "comparison": {
        "rows": 9,
        "queries": 8,
        "overlap_at_10": 0.75,
        "old": SCORES,
        "new": {"recall_at_10": 1.0, "ndcg_at_10": 0.875},
    },
}
SHOWN = """\
a (3) → b (4): switched
On 9 chunks and 8 sentences: nDCG@10 0.250 → 0.875, recall@10 0.500 → 1.000, \
75% of the hits in common.
The old embeddings are kept: --revert moves back, --forget deletes them.
"""


def script(server: Server, *states: dict[str, Any]) -> None:
    """Answer a POST with the handle, and each GET with the next state."""
    left = list(states)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, json=HANDLE)
        return httpx.Response(200, json=left.pop(0) if len(left) > 1 else left[0])

    server.handlers[PATH] = answer


def test_a_change_is_followed_to_its_end(run: Run, server: Server) -> None:
    script(server, STAGING, STAGING, SWITCHED)
    outcome = run("library", "embedding-model", "books", "b")
    assert (outcome.status, outcome.out) == (0, SHOWN)
    assert json.loads(server.requests[0].content) == {"model": "b"}


def test_a_change_goes_on_without_its_caller(run: Run, server: Server) -> None:
    script(server, STAGING)
    outcome = run("library", "embedding-model", "books", "b", "--no-wait")
    assert (outcome.status, outcome.out) == (
        0,
        "a (3) → b (4): staging\n5 of 9 chunks are embedded.\n",
    )


def test_what_keeps_a_change_is_said_once(run: Run, server: Server) -> None:
    failing = {**STAGING, "last_failure": "b is down."}
    script(server, STAGING, failing, {**failing, "staged": 6}, SWITCHED)
    outcome = run("library", "embedding-model", "books", "b")
    assert outcome.err == "Trying again: b is down.\n"
    waiting = {**STAGING, "waiting_for": "worker"}
    script(server, waiting, waiting, SWITCHED)
    outcome = run("library", "embedding-model", "books", "b")
    assert outcome.err == "Waiting for a worker: start one with `nalanda worker`.\n"


def test_a_change_that_fails_ends_with_a_status(run: Run, server: Server) -> None:
    script(server, {**STAGING, "state": "failed", "error": "The chunk 'c' has no text."})
    outcome = run("library", "embedding-model", "books", "b")
    assert outcome.status == 1
    assert "The chunk 'c' has no text.\n" in outcome.out


def test_without_a_model_the_last_change_is_shown(run: Run, server: Server) -> None:
    server.answer(PATH, {"state": "none"})
    outcome = run("library", "embedding-model", "books")
    assert (outcome.status, outcome.out) == (0, "The library's model was never changed.\n")
    server.answer(PATH, SWITCHED)
    assert run("library", "embedding-model", "books").out == SHOWN
    outcome = run("library", "embedding-model", "books", "--json")
    assert json.loads(outcome.out)["comparison"]["overlap_at_10"] == 0.75


def test_a_change_is_shown_and_cancelled_by_its_id(run: Run, server: Server) -> None:
    workflow_id = "reembed-i0123456789ab-my-books"
    path = PATH.replace("books", "my-books")
    server.answer(path, SWITCHED)
    server.answer(f"{path}/cancel", {"workflow_id": workflow_id})
    assert run("status", workflow_id).out == SHOWN
    assert json.loads(run("status", workflow_id, "--json").out)["state"] == "switched"
    said = run("cancel", workflow_id).out
    assert said == f"Requested cancellation of the model change {workflow_id}.\n"


def test_revert_cancel_and_forget(run: Run, server: Server) -> None:
    script(server, {**SWITCHED, "state": "reverted", "revertable": False})
    server.answer(f"{PATH}/revert", HANDLE)
    server.answer(f"{PATH}/cancel", {"workflow_id": "w"})
    server.answer(f"{PATH}/previous", httpx.Response(204))
    assert run("library", "embedding-model", "books", "--revert").status == 0
    said = run("library", "embedding-model", "books", "--cancel").out
    assert said == "Cancelled the change of the model of books.\n"
    said = run("library", "embedding-model", "books", "--forget").out
    assert said == "Deleted the old embeddings of books.\n"


@pytest.mark.parametrize("words", [("b", "--revert"), ("--cancel", "--forget")])
def test_only_one_thing_at_a_time(run: Run, server: Server, words: tuple[str, ...]) -> None:
    outcome = run("library", "embedding-model", "books", *words)
    assert outcome.status == 2
    assert "Give one of MODEL, --revert, --cancel and --forget." in outcome.err
    assert not server.requests
