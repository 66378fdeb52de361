"""The server's state: `/livez`, `/readyz`, `/metrics`, `/version`."""

import re
from importlib.metadata import version

import httpx

from tests.integration.api.calls import assert_problem
from tests.waiting import until


def test_livez(http: httpx.Client) -> None:
    assert http.get("/livez").json() == {"status": "ok"}


def test_readyz(http: httpx.Client) -> None:
    ready = http.get("/readyz")

    assert ready.status_code == 200
    checks = ready.json()["checks"]
    assert checks.pop("kernels") in {"compiling", "ok"}
    for worker in ("worker", "ingest_worker"):
        assert checks.pop(worker).startswith(("ok", "none polls the task queue nalanda-"))
    assert ready.json()["ready"]
    parts = ("storage", "durability", "cluster", "checkpoints", "temporal")
    assert checks == dict.fromkeys(parts, "ok")
    assert ready.json()["durability"] == "local"


def test_a_checkpoint_on_request(http: httpx.Client) -> None:
    made = http.post("/libraries", json={"name": "kept"}).raise_for_status()
    try:
        answer = http.post("/checkpoint")
        assert answer.status_code == 200
        assert answer.json()["position"] >= int(made.headers["Nalanda-Position"])
        assert_fetchable(http)
    finally:
        http.delete(f"/libraries/{made.json()['id']}").raise_for_status()


def assert_fetchable(http: httpx.Client) -> None:
    """Fetch the newest checkpoint's manifest; the server may replace the checkpoint meanwhile."""
    fetched: list[httpx.Response] = []

    def fetch() -> bool:
        name = http.get("/cluster/checkpoint").json()["name"]
        fetched.append(http.get(f"/cluster/checkpoint/{name}"))
        return fetched[-1].status_code == 200

    until(fetch)
    assert fetched[-1].headers["Content-Type"] == "application/octet-stream"
    assert_problem(http.get("/cluster/checkpoint/0.none"), 404)


def test_a_server_alone_is_a_cluster_of_one_leader(http: httpx.Client) -> None:
    shown = http.get("/cluster").json()
    assert shown["role"] == "leader"
    assert shown["leader"]["node_id"] == shown["node_id"]
    assert [(node["node_id"], node["lag"]) for node in shown["nodes"]] == [(shown["node_id"], 0)]
    assert shown["nodes"][0]["libraries"] is None


def test_the_digest_of_a_library_is_asked_for_by_its_name(http: httpx.Client) -> None:
    body = {"name": "digested", "dimension": 2}
    assert http.put("/libraries/digested-id", json=body).status_code == 201
    digests = {
        http.get("/cluster", params={"library": ref}).json()["digest"]
        for ref in ("digested", "digested-id")
    }
    assert len(digests) == 1
    assert None not in digests
    assert_problem(http.get("/cluster", params={"library": "none"}), 404)


def test_a_server_alone_hands_over_to_no_node(http: httpx.Client) -> None:
    assert_problem(http.post("/cluster/hand-over", json={}), 409)
    unknown = http.post("/cluster/hand-over", json={"to": "unknown"})
    assert_problem(unknown, 422, "/to")


def test_version(http: httpx.Client) -> None:
    answered = http.get("/version").json()
    assert answered["version"] == version("nalanda")
    assert re.fullmatch("[0-9a-f]{32}", answered["instance_id"])


def test_metrics(http: httpx.Client) -> None:
    http.get("/livez")

    metrics = http.get("/metrics")

    assert metrics.headers["Content-Type"].startswith("text/plain")
    assert "nalanda_" in metrics.text


def test_what_is_not_there(http: httpx.Client) -> None:
    assert_problem(http.get("/nothing"), 404)
    assert_problem(http.get("/libraries/"), 404)
    refused = http.put("/libraries", json={})
    assert_problem(refused, 405)
    assert refused.headers["Allow"] == "GET, POST"
