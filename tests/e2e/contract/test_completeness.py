"""Completeness, checked last: the other tests of this folder called every route.

The check requires a run of the whole folder.
"""

import re

import httpx
import pytest

from tests.e2e.contract.recording import Call, Record

Route = tuple[str, str]

NOT_IN_THE_SDK = {
    ("GET", "/cluster/checkpoint"),
    ("GET", "/cluster/checkpoint/{name}"),
    ("GET", "/livez"),
    ("GET", "/metrics"),
    ("GET", "/query/{workflow_id}/events"),
    ("POST", "/checkpoint"),
}
"""Routes for probes, scrapers, operators and nodes, and the stream: the SDK polls instead."""

NEEDS_NODES = {("POST", "/cluster/hand-over")}
"""Routes that a server alone refuses; `tests/e2e/test_hand_over.py` has three."""


@pytest.fixture(scope="module")
def routes(http: httpx.Client) -> dict[Route, set[int]]:
    """Return the routes with their documented statuses."""
    return {
        (method.upper(), path): {int(status) for status in operation["responses"]}
        for path, methods in http.get("/openapi.json").json()["paths"].items()
        for method, operation in methods.items()
    }


def _route_of(call: Call, routes: dict[Route, set[int]]) -> Route | None:
    """Return the most literal match: `/chunks/delete` is not the chunk `delete`."""
    fitting = [
        (method, path)
        for method, path in routes
        if method == call.method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), call.path)
    ]
    return min(fitting, key=lambda route: route[1].count("{"), default=None)


@pytest.mark.parametrize(
    ("client", "left_out"),
    [("http", set()), ("sdk", NOT_IN_THE_SDK), ("sdk_async", NOT_IN_THE_SDK)],
)
def test_every_route_was_called(
    record: Record, routes: dict[Route, set[int]], client: str, left_out: set[Route]
) -> None:
    calls: set[Call] = getattr(record, client)
    succeeded = {_route_of(call, routes) for call in calls if call.status < 400}
    assert set(routes) - succeeded == left_out | NEEDS_NODES


def test_every_answer_had_a_documented_status(
    record: Record, routes: dict[Route, set[int]]
) -> None:
    undocumented = {
        (route, call.status)
        for call in record.http | record.sdk | record.sdk_async
        if (route := _route_of(call, routes)) is not None and call.status not in routes[route]
    }
    assert undocumented == set()
