"""The server's state: `/livez`, `/readyz`, `/metrics`, `/version`."""

import re
from importlib.metadata import version

import httpx

from tests.integration.api.calls import assert_problem


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
    parts = ("storage", "durability", "checkpoints", "temporal")
    assert checks == dict.fromkeys(parts, "ok")
    assert ready.json()["durability"] == "local"


def test_a_checkpoint_on_request(http: httpx.Client) -> None:
    made = http.post("/libraries", json={"name": "kept"}).raise_for_status()
    try:
        answer = http.post("/checkpoint")
        assert answer.status_code == 200
        assert answer.json()["position"] >= int(made.headers["Nalanda-Position"])
    finally:
        http.delete(f"/libraries/{made.json()['id']}").raise_for_status()


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
