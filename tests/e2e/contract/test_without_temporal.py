"""Temporal is killed under a running server: questions are refused, all else works."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

import nalanda
from nalanda import Nalanda
from tests.e2e.stack import Stack
from tests.integration.api.calls import assert_problem

ASKING: dict[str, object] = {"library": "l", "query": "Q?"}
QUESTIONS: dict[tuple[str, str], dict[str, object] | None] = {
    ("POST", "/query"): ASKING,
    ("POST", "/query?wait_s=1"): ASKING,
    ("GET", "/query"): None,
    ("GET", "/query/some"): None,
    ("GET", "/query/some/events"): None,
    ("POST", "/query/some/cancel"): None,
    ("POST", "/query/some/feedback"): {"rating": 1},
    ("POST", "/conversations"): {},
    ("GET", "/conversations/{talk}"): None,
    ("DELETE", "/conversations/{talk}"): None,
    ("POST", "/query?wait_s=2"): {**ASKING, "conversation_id": "{talk}"},
}


@dataclass(frozen=True)
class Bereft:
    """A server without Temporal, and its responses to requests that need Temporal."""

    http: httpx.Client
    sdk: Nalanda
    refusals: dict[tuple[str, str], httpx.Response]
    raised: BaseException | None


@pytest.fixture(scope="module")
def bereft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bereft]:
    with (
        Stack(tmp_path_factory.mktemp("bereft")) as stack,
        httpx.Client(base_url=stack.api_url, timeout=30, trust_env=False) as http,
        Nalanda(stack.api_url, max_retries=0) as sdk,
    ):
        stack.start("temporal")
        stack.start("api")
        http.put("/libraries/l", json={"name": "l"}).raise_for_status()
        http.post("/query", json=ASKING).raise_for_status()
        talk = sdk.conversations.create("l").id
        stack.kill("temporal")
        yield _ask(http, sdk, talk)


def _ask(http: httpx.Client, sdk: Nalanda, talk: str) -> Bereft:
    """Send all requests at once, as each waits a while for Temporal."""

    def send(method: str, path: str, body: dict[str, object] | None) -> httpx.Response:
        if body is not None and "conversation_id" in body:
            body = {**body, "conversation_id": talk}
        return http.request(method, path.format(talk=talk), json=body)

    with ThreadPoolExecutor(len(QUESTIONS) + 1) as pool:
        raised = pool.submit(sdk.queries.start, "l", "Q?")
        asked = {call: pool.submit(send, *call, body) for call, body in QUESTIONS.items()}
        refusals = {call: answer.result() for call, answer in asked.items()}
        return Bereft(http, sdk, refusals, raised.exception())


@pytest.mark.parametrize("call", QUESTIONS, ids=" ".join)
def test_questions_are_refused_for_now(bereft: Bereft, call: tuple[str, str]) -> None:
    refused = bereft.refusals[call]

    assert_problem(refused, 503)
    assert int(refused.headers["Retry-After"]) >= 1
    assert "Temporal" in refused.json()["detail"]


def test_the_sdk_says_when_to_come_back(bereft: Bereft) -> None:
    assert isinstance(bereft.raised, nalanda.UnavailableError)
    assert bereft.raised.status == 503
    assert bereft.raised.retry_after_s is not None


def test_bad_questions_are_refused_for_good(bereft: Bereft) -> None:
    assert_problem(bereft.http.post("/query", json={**ASKING, "library": "none"}), 404)
    assert_problem(bereft.http.post("/query", json={"library": "l"}), 422, "/query")


def test_all_else_goes_on(bereft: Bereft) -> None:
    document = {"chunks": [{"text": "The harbour is deep."}]}
    assert bereft.http.post("/libraries/l/documents", json=document).status_code == 201
    result = bereft.http.post("/libraries/l/search", json={"text": "harbour"}).json()
    assert len(result["hits"]) == 1
    assert bereft.http.get("/libraries/l/chunks").status_code == 200
    ready = bereft.http.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert ready.json()["checks"]["temporal"] != "ok"
    assert ready.json()["checks"]["worker"].startswith("unknown")
    assert bereft.sdk.ready().ready
