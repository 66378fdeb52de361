"""Comparison of the responses of the fast path and the route."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest import mock

import httpx

from api.searches.ordinary import Answer, OrdinarySearch
from tests.differential.requests import LIBRARY, GeneratedSearch

_TOOK = re.compile(rb'"took_ms":[0-9.e-]+')
_ANY_QUERY = "?by=route"
"""The fast path takes no request with a query, and the route of searches ignores one."""


@dataclass(slots=True)
class Comparison:
    """The numbers of requests, and of those that the fast path answered, and the differences."""

    requests: int = 0
    fast: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)


async def fill(client: httpx.AsyncClient) -> None:
    """Create the library that the requests search."""
    body = {"name": LIBRARY, "dimension": 4, "metric": "cosine"}
    (await client.put(f"/libraries/{LIBRARY}", json=body)).raise_for_status()
    chunks = [
        {
            "id": f"c{n}",
            "text": f'{n}: "quoted", \\ back\tslash, é, \u2028, 😀, \x7f\x01',
            "embedding": [n % 3 - 1, n % 5 - 2.5, n % 7 - 3, 1],
            "metadata": {"n": n, "share": n / 7, "big": 1e16, "nested": {"ä": [None, True, "x"]}},
            **({"place": {"title": "Title", "headings": ["One"], "line": n}} if n % 2 else {}),
        }
        for n in range(1, 41)
    ]
    document = {"title": "Title", "chunks": chunks}
    path = f"/libraries/{LIBRARY}/documents/d"
    (await client.put(path, json=document)).raise_for_status()


async def compare(client: httpx.AsyncClient, searches: Iterable[GeneratedSearch]) -> Comparison:
    """Send each search to the fast path and to the route."""
    comparison = Comparison()
    with _counting(comparison):
        for search in searches:
            fast = await _send(client, search, "")
            by_route = await _send(client, search, _ANY_QUERY)
            comparison.requests += 1
            status = fast.status_code
            comparison.statuses[status] = comparison.statuses.get(status, 0) + 1
            if _comparable(fast) != _comparable(by_route):
                comparison.differences.append(
                    f"{search}\n  fast: {_comparable(fast)}\n  route: {_comparable(by_route)}"
                )
    return comparison


@contextmanager
def _counting(comparison: Comparison) -> Iterator[None]:
    answer = OrdinarySearch.answer

    def answer_and_count(search: OrdinarySearch, body: bytes) -> Answer | None:
        found = answer(search, body)
        comparison.fast += found is not None
        return found

    with mock.patch.object(OrdinarySearch, "answer", answer_and_count):
        yield


async def _send(client: httpx.AsyncClient, search: GeneratedSearch, query: str) -> httpx.Response:
    headers = dict([("Content-Type", "application/json"), *search.headers])
    path = f"/libraries/{search.library}/search{query}"
    return await client.post(path, content=search.body, headers=headers)


def _comparable(response: httpx.Response) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return the response without the time that the search took, and what follows from it."""
    headers = [(name, value) for name, value in response.headers.raw if name != b"content-length"]
    assert response.headers["Content-Length"] == str(len(response.content))
    return response.status_code, headers, _TOOK.sub(b"", response.content)
