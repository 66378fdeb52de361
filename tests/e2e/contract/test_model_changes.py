"""Changes of a library's model over HTTP and through both SDK clients."""

import threading
import time
from typing import Any

import httpx
import pytest

import nalanda
from nalanda import Nalanda
from tests.e2e.contract.conftest import TEXTS
from tests.integration.api.calls import assert_problem
from tests.model_server import held
from tests.openai_server import DIMENSION, OpenAIServer

PATIENCE_S = 120
LOCAL, SECOND = "wordllama-256", "embedder"


@pytest.fixture
def texts(http: httpx.Client, name: str) -> str:
    """Return the name of a library of the local model with a few chunks."""
    http.post("/libraries", json={"name": name}).raise_for_status()
    chunks = [{"text": text} for text in TEXTS]
    http.post(f"/libraries/{name}/documents", json={"chunks": chunks}).raise_for_status()
    return name


def _ended(http: httpx.Client, path: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        state: dict[str, Any] = http.get(path).json()
        if state["state"] not in {"staging", "comparing", "switching", "reverting"}:
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.05)


def test_a_change_and_its_revert(http: httpx.Client, texts: str) -> None:
    path = f"/libraries/{texts}/embedding-model"
    assert http.get(path).json()["state"] == "none"
    started = http.post(path, json={"model": SECOND})
    assert started.status_code == 202
    assert started.headers["Location"] == started.json()["status_url"]
    state = _ended(http, started.json()["status_url"])
    assert (state["state"], state["staged"], state["total"]) == ("switched", 4, 4)
    assert state["old"] == {"model": LOCAL, "dimension": 256}
    assert state["new"] == {"model": SECOND, "dimension": DIMENSION}
    assert state["comparison"]["queries"] == 4
    body = {"text": TEXTS[2], "k": 1}
    found = http.post(f"/libraries/{texts}/search", json=body).json()["hits"][0]
    assert (found["text"], round(found["score"], 4)) == (TEXTS[2], 1.0)
    step = http.post(f"{path}/advance", json={"model": SECOND, "state": "staging"})
    assert (step.status_code, step.json()["state"]) == (200, "switched")

    assert http.post(f"{path}/revert").status_code == 202
    assert _ended(http, path)["state"] == "reverted"
    assert http.get(f"/libraries/{texts}").json()["embedding_model"] == LOCAL
    assert http.delete(f"{path}/previous").status_code == 204
    for refused in (http.post(f"{path}/revert"), http.post(f"{path}/cancel")):
        assert_problem(refused, 409)
    assert_problem(http.post(path, json={"model": LOCAL}), 409)
    assert_problem(http.post(path, json={"model": "none"}), 422, "/model")
    assert_problem(http.post(f"{path}/advance", json={"model": "x", "state": "staging"}), 409)


def test_a_change_is_cancelled(http: httpx.Client, texts: str, models: OpenAIServer) -> None:
    path, release = f"/libraries/{texts}/embedding-model", threading.Event()
    models.fail_next(held(release))
    try:
        http.post(path, json={"model": SECOND}).raise_for_status()
        assert_problem(http.post(path, json={"model": SECOND}), 409)
        assert http.post(f"{path}/cancel").status_code == 202
    finally:
        release.set()
    assert _ended(http, path)["state"] == "cancelled"


@pytest.mark.parametrize("fixture", ["sdk", "sdk_async"])
def test_through_the_sdk(
    fixture: str, request: pytest.FixtureRequest, texts: str, models: OpenAIServer
) -> None:
    client: Nalanda = request.getfixturevalue(fixture)
    libraries = client.libraries
    assert libraries.model_change(texts).state == "none"
    libraries.change_model(texts, SECOND)
    switched = libraries.wait_for_model_change(texts, timeout_s=PATIENCE_S)
    assert (switched.state, switched.revertable) == ("switched", True)
    step = libraries.advance_model_change(texts, model=SECOND, state="switching")
    assert step.state == "switched"
    libraries.revert_model(texts)
    assert libraries.wait_for_model_change(texts, timeout_s=PATIENCE_S).state == "reverted"
    libraries.forget_previous_model(texts)
    with pytest.raises(nalanda.ConflictError):
        libraries.revert_model(texts)

    release = threading.Event()
    models.fail_next(held(release))
    try:
        libraries.change_model(texts, SECOND)
        libraries.cancel_model_change(texts)
    finally:
        release.set()
    assert libraries.wait_for_model_change(texts, timeout_s=PATIENCE_S).state == "cancelled"
