"""Each refusal: its status, a problem document, its pointers, and no write."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest

from tests.e2e.contract.bad_requests import CASES, DOCUMENT, LIBRARY, Case, D, L
from tests.e2e.stack import Stack
from tests.integration.api.calls import assert_problem

IDS = {
    "library_id": "bad",
    "document_id": "d",
    "chunk_id": "c",
    "workflow_id": "none",
    "conversation_id": "none",
    "other_id": "none",
    "name": "1.none",
    "page": "1",
    "sha256": "0" * 64,
}
"""Values of the parameters of paths."""


@pytest.fixture(scope="module", autouse=True)
def _library(http: httpx.Client) -> None:
    http.put(L, json=LIBRARY).raise_for_status()
    http.put(D, json=DOCUMENT).raise_for_status()
    http.put("/libraries/other-bad", json={"name": "name of other-bad"}).raise_for_status()


def _position(http: httpx.Client) -> str:
    """Return the position of the last write; check that the server is well."""
    assert http.get("/livez").is_success
    return http.get("/libraries", params={"limit": 1}).headers["Nalanda-Position"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.status} {case.method} {case.path}")
def test_refused(http: httpx.Client, case: Case) -> None:
    before = _position(http)

    assert_problem(case.sent_with(http), case.status, *case.pointers)

    assert _position(http) == before


def _operations_with_a_body(http: httpx.Client) -> list[tuple[str, str]]:
    """Return the operations of the OpenAPI document that take a body, with paths filled in."""
    paths = http.get("/openapi.json").json()["paths"]
    operations = [
        (method.upper(), path.format(**IDS))
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "requestBody" in operation
    ]
    assert operations
    return operations


@pytest.mark.parametrize(
    ("status", "media_type", "body", "pointers"),
    [
        (400, "application/json", b"", []),
        (400, "application/json", b'{"name": "cut off', []),
        (400, "application/json", b"{'name': 'single quotes'}", []),
        (400, "application/json", b'{"name": "\xff"}', []),
        (400, "application/json", b'{"name": "\\ud800"}', []),
        (400, "application/json", b'{"metadata":' * 1000 + b"1" + b"}" * 1000, []),
        (400, "application/json", b"[" * 100_000, []),
        (415, "text/plain", b"{}", []),
        (415, "application/x-www-form-urlencoded", b"name=n", []),
        (422, "application/json", b"[]", [""]),
    ],
)
def test_no_body_is_read_that_is_not_json(
    http: httpx.Client, status: int, media_type: str, body: bytes, pointers: list[str]
) -> None:
    before = _position(http)
    for method, path in _operations_with_a_body(http):
        headers = {"Content-Type": media_type}
        answer = http.request(method, path, content=body, headers=headers)
        assert_problem(answer, status, *pointers)
    assert _position(http) == before


def test_no_field_is_taken_that_is_not_known(http: httpx.Client) -> None:
    before = _position(http)
    for method, path in _operations_with_a_body(http):
        answer = http.request(method, path, json={"nonsense": 1})
        pointers = [fault["pointer"] for fault in answer.json()["errors"]]
        assert "/nonsense" in pointers, f"{method} {path}"
        assert_problem(answer, 422, *pointers)
    assert _position(http) == before


def test_too_large_a_body_is_refused_before_it_is_sent(http: httpx.Client, stack: Stack) -> None:
    before, address = _position(http), urlsplit(stack.api_url)
    for method, path in _operations_with_a_body(http):
        connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
        connection.putrequest(method, path)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(10**12))
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status == 413, f"{method} {path}"
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert json.loads(answer.read())["status"] == 413
        connection.close()
    assert _position(http) == before


def test_other_methods_are_refused(http: httpx.Client) -> None:
    for path, methods in http.get("/openapi.json").json()["paths"].items():
        if path.endswith(("/chunks/delete", "/chunks/query", "/documents/delete")):
            continue  # `delete` and `query` are ids as well
        filled = path.format(**IDS)
        allowed = {method.upper() for method in methods}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - allowed:
            answer = http.request(method, filled)
            assert_problem(answer, 405)
            assert set(answer.headers["Allow"].split(", ")) == allowed


def test_a_cursor_is_for_its_own_listing(http: httpx.Client) -> None:
    cursor = http.get("/libraries", params={"limit": 1}).json()["next_cursor"]
    for path in (f"{L}/documents", f"{L}/chunks", f"{D}/chunks", "/query"):
        assert_problem(http.get(path, params={"cursor": cursor}), 422, "/cursor")
    assert_problem(http.get("/libraries", params={"cursor": cursor, "name": "bad"}), 422, "/cursor")
