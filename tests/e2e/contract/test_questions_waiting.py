"""Questions without a worker: they wait, and clients can steer them meanwhile."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from nalanda import Nalanda
from tests.e2e.contract.events import read_events
from tests.e2e.stack import Stack
from tests.waiting import until

PATIENCE_S = 30


@dataclass(frozen=True)
class Asked:
    """Ids of questions by what was done to them, and the observations before the worker came."""

    cancelled: str
    rated: str
    lost: str
    adjusted: str
    state: dict[str, Any]
    waited: httpx.Response
    listed: list[str]
    rated_by_sdk: list[str]
    cancelled_by_sdk: list[str]


@pytest.fixture(scope="module")
def asked(
    stack: Stack, http: httpx.Client, sdk: Nalanda, sdk_async: Nalanda, harbours: str
) -> Asked:
    body = {"library": harbours, "query": "How deep is the harbour?"}

    def ask(library: str = harbours) -> str:
        asked = http.post("/query", json={**body, "library": library})
        return str(asked.raise_for_status().json()["workflow_id"])

    stack.stop("worker")
    try:
        http.put("/libraries/lost", json={"name": "lost"}).raise_for_status()
        ids = {"cancelled": ask(), "rated": ask(), "lost": ask("lost"), "adjusted": ask()}
        adjusted = http.post(f"/query/{ids['adjusted']}/adjust", json={"k": 3, "top_n": 1})
        assert adjusted.status_code == 202
        http.delete("/libraries/lost").raise_for_status()
        waited = http.post("/query", params={"wait_s": 0.2}, json=body)
        path = f"/query/{ids['cancelled']}"
        assert http.post(f"{path}/cancel").status_code == 202
        _rate(http, ids["rated"])
        rated, cancelled = [], []
        for client in (sdk, sdk_async):
            rated.append(client.queries.start(harbours, body["query"]).workflow_id)
            client.queries.feedback(rated[-1], -1, "Slow.")
            client.queries.adjust(rated[-1], top_n=1)
            cancelled.append(client.queries.start(harbours, body["query"]).workflow_id)
            client.queries.cancel(cancelled[-1])
        state = http.get(path).json()
        until(lambda: ids["rated"] in _running(http), PATIENCE_S)
        listed = _running(http)
    finally:
        stack.start("worker")
    for id_ in (*ids.values(), *rated, *cancelled):
        sdk.queries.wait(id_, timeout_s=PATIENCE_S)
    return Asked(
        **ids,
        state=state,
        waited=waited,
        listed=listed,
        rated_by_sdk=rated,
        cancelled_by_sdk=cancelled,
    )


def _rate(http: httpx.Client, workflow_id: str) -> None:
    """Rate twice, as a client does that never received the first response."""
    for _ in range(2):
        answer = http.post(
            f"/query/{workflow_id}/feedback",
            json={"rating": 1, "comment": "Right."},
            headers={"Idempotency-Key": workflow_id},
        )
        assert (answer.status_code, answer.json()) == (202, {"workflow_id": workflow_id})


def _running(http: httpx.Client) -> list[str]:
    page = http.get("/query", params={"status": "running"}).json()
    return [question["workflow_id"] for question in page["items"]]


def test_it_is_running_at_an_unknown_stage(asked: Asked) -> None:
    assert asked.state["status"] == "running"
    assert asked.state["stages"] == []
    assert asked.cancelled in asked.listed


def test_parameters_that_were_changed_before_a_worker_came(
    http: httpx.Client, asked: Asked
) -> None:
    for workflow_id in (asked.adjusted, *asked.rated_by_sdk):
        assert len(http.get(f"/query/{workflow_id}").json()["result"]["hits"]) == 1


def test_waiting_for_it_ends_in_time(asked: Asked) -> None:
    assert asked.waited.status_code == 202
    assert "answer" not in asked.waited.json()


def test_one_that_was_cancelled(http: httpx.Client, asked: Asked) -> None:
    state = http.get(f"/query/{asked.cancelled}").json()

    assert (state["status"], state["result"]) == ("cancelled", None)
    (error,) = [e for e in read_events(http, asked.cancelled) if e.name != "stage"]
    assert (error.name, error.content["status"]) == ("error", "cancelled")
    assert http.post(f"/query/{asked.cancelled}/cancel").status_code == 202  # as often as asked


def test_one_that_was_given_feedback_keeps_it_once(http: httpx.Client, asked: Asked) -> None:
    state = http.get(f"/query/{asked.rated}").json()

    assert state["status"] == "completed"
    assert state["feedback"] == [{"rating": 1, "comment": "Right."}]


def test_one_whose_library_is_gone(http: httpx.Client, asked: Asked) -> None:
    state = http.get(f"/query/{asked.lost}").json()

    assert (state["status"], state["result"]) == ("failed", None)
    assert "lost" in state["error"]
    last = read_events(http, asked.lost)[-1]
    assert (last.name, last.content) == ("error", {"status": "failed", "detail": state["error"]})


def test_the_same_through_the_sdk(sdk: Nalanda, asked: Asked) -> None:
    for id_ in asked.cancelled_by_sdk:
        assert sdk.queries.get(id_).status == "cancelled"
    for id_ in asked.rated_by_sdk:
        state = sdk.queries.get(id_)
        assert (state.status, [f.rating for f in state.feedback]) == ("completed", [-1])
