"""`/query` over HTTP: a question's life with a worker."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest

from tests.e2e.contract.events import read_events
from tests.integration.api.calls import assert_problem
from tests.waiting import until

QUESTION = "How deep is the harbour of Tamralipti?"
STAGES = ["preprocess", "retrieve", "rerank", "answer"]
PATIENCE_S = 30


def _ask(http: httpx.Client, library: str, **options: object) -> dict[str, Any]:
    """Return the state of an answered question."""
    body = {"library": library, "query": QUESTION, **options}
    asked = http.post("/query", params={"wait_s": PATIENCE_S}, json=body)
    assert asked.status_code == 200, asked.text
    return cast("dict[str, Any]", http.get(f"/query/{asked.json()['workflow_id']}").json())


@pytest.fixture(scope="module")
def answered(http: httpx.Client, harbours: str) -> dict[str, Any]:
    return _ask(http, harbours)


def test_asking_is_accepted_and_says_where_to_look(http: httpx.Client, harbours: str) -> None:
    asked = http.post("/query", json={"library": harbours, "query": QUESTION})

    handle = asked.json()
    assert asked.status_code == 202
    assert set(handle) == {
        "workflow_id", "run_id", "status_url", "events_url", "temporal_ui_url"
    }  # fmt: skip
    assert asked.headers["Location"] == handle["status_url"]
    assert urlsplit(handle["status_url"]).path == f"/query/{handle['workflow_id']}"
    assert urlsplit(handle["events_url"]).path == f"/query/{handle['workflow_id']}/events"
    assert http.get(handle["status_url"]).status_code == 200


def test_waiting_answers_with_the_result(http: httpx.Client, harbours: str) -> None:
    body = {"library": harbours, "query": QUESTION}

    answered = http.post("/query", params={"wait_s": PATIENCE_S}, json=body)

    assert answered.status_code == 200
    assert "nine fathoms" in answered.json()["answer"]
    state = http.get(f"/query/{answered.json()['workflow_id']}").json()
    assert {**answered.json(), **state["result"]} == answered.json()


def test_the_state_of_an_answered_question(answered: dict[str, Any]) -> None:
    assert (answered["status"], answered["stage"]) == ("completed", "answer")
    assert (answered["error"], answered["feedback"]) == (None, [])
    assert [(stage["name"], stage["status"]) for stage in answered["stages"]] == [
        (name, "completed") for name in STAGES
    ]
    times = [stage[when] for stage in answered["stages"] for when in ("started_at", "ended_at")]
    assert times == sorted(times)
    assert all(stage["attempt"] >= 1 for stage in answered["stages"])


def test_a_result_rests_on_its_citations(http: httpx.Client, answered: dict[str, Any]) -> None:
    result = answered["result"]

    assert set(result) == {
        "answer", "citations", "hits", "position", "degraded", "provider", "model", "usage",
        "timings_ms", "reason", "degraded_because",
    }  # fmt: skip
    assert result["degraded"] == []
    assert set(result["timings_ms"]) == {*STAGES, "total"}
    assert 1 <= len(result["hits"]) <= 5
    assert result["citations"]
    for citation in result["citations"]:
        chunk = http.get(f"/libraries/harbours/chunks/{citation['chunk_id']}").json()
        quoted = chunk["text"][citation["quote_start"] : citation["quote_end"]]
        assert quoted == citation["quote"] != ""
        assert chunk["document_id"] == citation["document_id"]
        document = http.get(f"/libraries/harbours/documents/{chunk['document_id']}").json()
        assert chunk["place"] is None
        named = {"source": document["source"], "title": document["title"], "headings": []}
        assert citation["place"] == named
        assert result["answer"][citation["start"] : citation["end"]].strip()
        assert citation["chunk_id"] in {hit["chunk_id"] for hit in result["hits"]}


def test_only_the_hits(http: httpx.Client, harbours: str) -> None:
    filter_ = {"field": "place", "op": "in", "value": [1, 2, 3]}

    state = _ask(http, harbours, answer=False, top_n=2, k=3, filter=filter_)

    result = state["result"]
    assert (result["answer"], result["reason"], result["citations"]) == (None, "not_asked", [])
    assert len(result["hits"]) == 2
    assert [stage["status"] for stage in state["stages"]] == ["completed"] * 3 + ["skipped"]


def test_a_library_without_chunks_has_no_answer(http: httpx.Client, name: str) -> None:
    http.post("/libraries", json={"name": name})

    result = _ask(http, name)["result"]

    assert (result["hits"], result["citations"]) == ([], [])


def test_events(http: httpx.Client, answered: dict[str, Any]) -> None:
    events = read_events(http, answered["workflow_id"])

    numbers = [int(event.id) for event in events]
    assert numbers == sorted(set(numbers))
    names = [event.name for event in events]
    assert names == ["stage"] * 4 + ["hits"] + ["stage"] * 4 + ["citation"] * len(
        answered["result"]["citations"]
    ) + ["result"]
    stages = [(e.content["name"], e.content["status"]) for e in events if e.name == "stage"]
    assert stages == [(name, how) for name in STAGES for how in ("running", "completed")]
    citations = [event.content for event in events if event.name == "citation"]
    assert citations == answered["result"]["citations"]
    assert events[-1].content == answered["result"]


def test_events_go_on_behind_the_last_one_seen(
    http: httpx.Client, answered: dict[str, Any]
) -> None:
    workflow_id = answered["workflow_id"]
    events = read_events(http, workflow_id)

    for place, event in enumerate(events[:-1]):
        assert read_events(http, workflow_id, after=event.id) == events[place + 1 :]
    seen_all = {"Last-Event-ID": events[-1].id}
    assert http.get(f"/query/{workflow_id}/events", headers=seen_all).status_code == 204
    for nobodys in ("not one of ours", "-1", "9" * 5000):
        assert read_events(http, workflow_id, after=nobodys) == events


def test_an_idempotency_key_makes_a_question_one_workflow(
    http: httpx.Client, harbours: str, name: str
) -> None:
    key = {"Idempotency-Key": name}
    body = {"library": harbours, "query": QUESTION}

    first = http.post("/query", json=body, headers=key)
    again = http.post("/query", json=body, headers=key)
    waited = http.post("/query", params={"wait_s": PATIENCE_S}, json=body, headers=key)

    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert waited.status_code == 200
    assert waited.json()["workflow_id"] == first.json()["workflow_id"]
    other = http.post("/query", json={**body, "query": "Another one?"}, headers=key)
    assert_problem(other, 422, "/Idempotency-Key")


def test_listed_by_library_status_and_time(http: httpx.Client, name: str) -> None:
    library = http.post("/libraries", json={"name": name}).json()["id"]
    start = datetime.now(UTC) - timedelta(seconds=1)
    asked = [_ask(http, name)["workflow_id"] for _ in range(3)]

    def listed(**parameters: object) -> list[dict[str, Any]]:
        wanted = {"library": name, **parameters}
        page = http.get("/query", params=httpx.QueryParams({k: str(v) for k, v in wanted.items()}))
        return cast("list[dict[str, Any]]", page.raise_for_status().json()["items"])

    # Temporal's visibility store lags behind.
    until(lambda: len(listed(status="completed")) == 3, PATIENCE_S)
    questions = listed()
    assert [question["workflow_id"] for question in questions] == asked[::-1]
    assert {(q["library"], q["status"], q["stage"]) for q in questions} == {
        (library, "completed", "answer")
    }
    assert all(question["started_at"] < question["ended_at"] for question in questions)
    assert len(listed(library=library)) == 3
    assert listed(status="failed") == []
    assert len(listed(since=start.isoformat())) == 3
    assert listed(until=start.isoformat()) == []


def test_listed_page_by_page(http: httpx.Client, harbours: str, answered: dict[str, Any]) -> None:
    _ask(http, harbours)
    until(lambda: len(http.get("/query").json()["items"]) >= 2, PATIENCE_S)

    first = http.get("/query", params={"limit": 1}).json()
    second = http.get("/query", params={"limit": 1, "cursor": first["next_cursor"]}).json()

    assert len(first["items"]) == len(second["items"]) == 1
    assert first["items"] != second["items"]


def test_a_closed_one_can_be_rated_and_no_longer_cancelled(
    http: httpx.Client, harbours: str
) -> None:
    asked = http.post(
        "/query", params={"wait_s": 60}, json={"library": harbours, "query": QUESTION}
    )
    path = f"/query/{asked.json()['workflow_id']}"

    assert_problem(http.post(f"{path}/cancel"), 409)
    for rating in (1, -1):
        rated = http.post(f"{path}/feedback", json={"rating": rating})
        assert (rated.status_code, rated.json()) == (
            202,
            {"workflow_id": asked.json()["workflow_id"]},
        )
    assert [given["rating"] for given in http.get(path).json()["feedback"]] == [1, -1]


def test_a_reviewer_decides_what_is_answered_from(http: httpx.Client, harbours: str) -> None:
    asked = http.post("/query", json={"library": harbours, "query": QUESTION, "review": True})
    path = f"/query/{asked.json()['workflow_id']}"
    until(lambda: http.get(path).json()["waiting_for"] == "review", PATIENCE_S)
    (request,) = http.get(path).json()["reviews"]
    dropped = request["hits"][0]["chunk_id"]

    assert_problem(
        http.post(f"{path}/review", json={"decision": "approve", "drop": ["none"]}), 422, "/drop/0"
    )
    given = http.post(f"{path}/review", json={"decision": "approve", "drop": [dropped]})
    assert given.status_code == 200
    until(lambda: http.get(path).json()["status"] == "completed", PATIENCE_S)
    hits = http.get(path).json()["result"]["hits"]
    assert [hit["chunk_id"] for hit in hits] == [hit["chunk_id"] for hit in request["hits"][1:]]
    assert_problem(http.post(f"{path}/review", json={"decision": "approve"}), 409)


def test_a_finished_one_is_asked_again_compared_and_deleted(
    http: httpx.Client, harbours: str
) -> None:
    first = _ask(http, harbours)
    path = f"/query/{first['workflow_id']}"
    again = http.post(f"{path}/rerun", json={"from": "rerank", "top_n": 1})
    assert again.status_code == 202
    other = f"/query/{again.json()['workflow_id']}"
    until(lambda: http.get(other).json()["status"] == "completed", PATIENCE_S)
    diff = http.get(f"{path}/diff/{again.json()['workflow_id']}").json()
    lost = [hit["chunk_id"] for hit in diff["hits"]["lost"]]
    assert lost == [hit["chunk_id"] for hit in first["result"]["hits"]][1:]
    assert diff["answer"]["before"] == first["result"]["answer"]
    assert http.delete(path).status_code == 204
    assert_problem(http.get(path), 404)


def test_tokens_of_a_worker_are_taken(http: httpx.Client) -> None:
    sent = {"series": 0, "before": 0, "texts": ["Nine ", "fathoms."]}
    taken = http.post("/query/none/tokens", json=sent)
    assert (taken.status_code, taken.json()) == (200, {"taken": 2})


@pytest.mark.parametrize("mode", ["vector", "lexical", "hybrid"])
def test_candidates_are_found_in_each_mode(http: httpx.Client, harbours: str, mode: str) -> None:
    asked = http.post(
        "/query",
        params={"wait_s": 30},
        json={"library": harbours, "query": QUESTION, "mode": mode, "answer": False},
    )
    assert asked.status_code == 200
    assert asked.json()["hits"]


def test_a_conversation(http: httpx.Client, harbours: str) -> None:
    created = http.post("/conversations", json={"library": harbours})
    assert created.status_code == 201
    path = urlsplit(created.headers["Location"]).path
    talk = created.json()["id"]
    assert path == f"/conversations/{talk}"

    first = _ask(http, harbours, conversation_id=talk)
    follow_up = _ask(http, harbours, query="And of Calicut?", conversation_id=talk)

    assert "condensed_query" not in first["result"]
    assert follow_up["query"] == "And of Calicut?"
    assert follow_up["result"]["condensed_query"] == "How deep is the harbour of Calicut?"
    turns = http.get(path).json()["turns"]
    assert [turn["workflow_id"] for turn in turns] == [
        first["workflow_id"], follow_up["workflow_id"],
    ]  # fmt: skip
    assert http.delete(path).status_code == 204
    assert_problem(http.get(path), 404)
    body = {"library": harbours, "query": QUESTION, "conversation_id": talk}
    assert_problem(http.post("/query", json=body), 404)
    assert http.get(f"/query/{first['workflow_id']}").status_code == 200


def test_a_conversation_about_an_empty_library(http: httpx.Client, name: str) -> None:
    http.post("/libraries", json={"name": name}).raise_for_status()
    talk = http.post("/conversations", json={"library": name}).json()["id"]
    for query in (QUESTION, "And of Calicut?", "thanks!"):
        assert _ask(http, name, query=query, conversation_id=talk)["result"]["answer"] is None
    turns = http.get(f"/conversations/{talk}").json()["turns"]
    assert [turn["reason"] for turn in turns] == ["nothing_relevant"] * 3


def test_a_library_that_is_deleted_while_a_turn_runs(
    http: httpx.Client, harbours: str, name: str
) -> None:
    http.post("/libraries", json={"name": name}).raise_for_status()
    document = {"text": "The harbour of Tamralipti is nine fathoms deep."}
    http.post(f"/libraries/{name}/documents", json=document).raise_for_status()
    talk = http.post("/conversations", json={}).json()["id"]
    body = {"library": name, "query": QUESTION, "conversation_id": talk, "review": True}
    path = f"/query/{http.post('/query', json=body).json()['workflow_id']}"
    until(lambda: http.get(path).json()["waiting_for"] == "review", PATIENCE_S)
    http.delete(f"/libraries/{name}").raise_for_status()
    http.post(f"{path}/review", json={"decision": "approve"}).raise_for_status()
    until(lambda: http.get(path).json()["status"] != "running", PATIENCE_S)
    _ask(http, harbours, conversation_id=talk)
    turns = http.get(f"/conversations/{talk}").json()["turns"]
    assert [turn["query"] for turn in turns] == [QUESTION, QUESTION]
    assert turns[0]["status"] == http.get(path).json()["status"]


@pytest.mark.parametrize(
    ("first", "follow_up", "condensed"),
    [
        (
            "Wie tief ist der Hafen von Hamburg?",
            "Und von Bremen?",
            "Wie tief ist der Hafen von Bremen?",
        ),
        ("港口有多深？", "那河流呢？", "那河流呢？ (港口有多深)"),
        ("ท่าเรือลึกเท่าไร", "แล้วแม่น้ำล่ะ", "แล้วแม่น้ำล่ะ (ท่าเรือลึกเท่าไร)"),
        ("كم عمق الميناء؟", "وماذا عن النهر؟", "وماذا عن النهر؟ (كم عمق الميناء)"),
        (
            "What is the depth of `harbour`?",
            "and of `river`?",
            "What is the depth of `river`?",
        ),
    ],
)
def test_follow_ups_of_other_scripts_and_with_code(
    http: httpx.Client, harbours: str, first: str, follow_up: str, condensed: str
) -> None:
    talk = http.post("/conversations", json={"library": harbours}).json()["id"]
    _ask(http, harbours, query=first, conversation_id=talk)
    answered = _ask(http, harbours, query=follow_up, conversation_id=talk)
    assert answered["result"]["condensed_query"] == condensed
