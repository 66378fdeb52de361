"""Three nodes of one database as processes, and clients of them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import Any

import httpx

from tests.e2e.stack import Stack, node_of
from tests.postgres import PostgresServer
from tests.threads import run_threads
from tests.waiting import until

ELECTED_S = 120.0
"""Far more than a lease, for a loaded machine."""

PAUSE_S = 0.01
"""The time between two requests of a client, so that clients leave the nodes some CPU time."""

Nodes = Mapping[str, Stack]
"""Nodes by their URLs."""


@contextmanager
def three_nodes(postgres: PostgresServer, folder: Path, lease_s: int) -> Iterator[Nodes]:
    """Start three nodes, of which the first one leads."""
    with (
        postgres.database() as url,
        nodes_of(folder, url, 3, NALANDA_LEASE_S=str(lease_s)) as nodes,
    ):
        yield {node.api_url: node for node in nodes}


@contextmanager
def nodes_of(
    folder: Path, database_url: str, count: int, **settings: str
) -> Iterator[Sequence[Stack]]:
    """Start nodes of a database one after the other, so that the first one leads."""
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(node_of(folder / f"node-{number}", database_url, **settings))
            for number in range(count)
        ]
        for node in nodes:
            node.start("api")
        yield nodes


@contextmanager
def open_services(folder: Path) -> Iterator[Stack]:
    """Start Temporal, to which nodes are added, and whose worker the block starts."""
    services = folder / "services"
    services.mkdir()
    with Stack(services) as stack:
        stack.start("temporal")
        yield stack


def call(url: str, method: str, path: str, **options: Any) -> httpx.Response | None:
    """Return the response of a node, or `None` if it does not answer."""
    try:
        with httpx.Client(base_url=url, timeout=30, trust_env=False, verify=False) as client:
            return client.request(method, path, **options)
    except httpx.TransportError:
        return None


def leader_of(url: str) -> str | None:
    """Return the URL of the leader that a node knows."""
    answer = call(url, "GET", "/cluster")
    leader = None if answer is None else answer.json()["leader"]
    return None if leader is None else str(leader["address"])


def state_of(url: str) -> dict[str, Any]:
    """Return what a node says of its cluster."""
    answer = call(url, "GET", "/cluster")
    assert answer is not None
    state: dict[str, Any] = answer.json()
    return state


def wait_for_leader(nodes: Nodes) -> str:
    """Wait until all nodes are alive and agree which one leads; return its URL."""
    until(lambda: len({leader_of(url) for url in nodes} - {None}) == 1, ELECTED_S)
    first, *_ = nodes
    leader = leader_of(first)
    assert leader is not None
    until(lambda: state_of(leader)["role"] == "leader", ELECTED_S)
    return leader


def assert_same(one: str, other: str, names: set[str]) -> None:
    """Check that two nodes have the same libraries, and the same digest at one position."""
    assert_equal_digests(one, other)
    for url in (one, other):
        listed = call(url, "GET", "/libraries", headers={"Nalanda-Consistency": "strong"})
        assert listed is not None
        assert {item["name"] for item in listed.json()["items"]} == names


def assert_equal_digests(*urls: str) -> None:
    def agree() -> bool:
        states = [call(url, "GET", "/cluster") for url in urls]
        marks = [(state.json()["position"], state.json()["digest"]) for state in states if state]
        return len(set(marks)) == 1 and len(marks) == len(urls) and marks[0][1] is not None

    until(agree, ELECTED_S)


class Writers:
    """Clients that put chunks through the nodes in turn, and go to the next one at no answer.

    `headers`: those of each request.
    """

    LIBRARY = "written"
    CLIENTS = 4

    def __init__(self, urls: Sequence[str], headers: Mapping[str, str] | None = None) -> None:
        self._urls = urls
        self._headers = dict(headers or {})
        self._ended = Event()
        self._lock = Lock()
        self.answers: list[httpx.Response] = []
        self.unanswered = 0
        """The requests whose connection failed."""

    @contextmanager
    def write(self) -> Iterator[None]:
        """Write until the end of the block."""
        path = f"/libraries/{self.LIBRARY}"
        library = {"name": self.LIBRARY, "dimension": 2}
        call(self._urls[0], "PUT", path, json=library, headers=self._headers)
        call(
            self._urls[0], "PUT", f"{path}/documents/d", json={"chunks": []}, headers=self._headers
        )
        clients = [partial(self._run, number) for number in range(self.CLIENTS)]
        with run_threads(self._ended, *clients):
            yield

    def wait_for_more(self, count: int = 60) -> None:
        enough = len(self.answers) + count
        until(lambda: len(self.answers) >= enough, ELECTED_S)

    def assert_all_there_once(self, url: str) -> None:
        """Check that each write succeeded, and has a position and a chunk of its own."""
        refused = [answer.text for answer in self.answers if answer.status_code not in {200, 201}]
        assert refused == []
        positions = {answer.headers["Nalanda-Position"] for answer in self.answers}
        assert len(positions) == len(self.answers)
        assert self._stored(url) == {answer.json()["id"] for answer in self.answers}

    def _run(self, client: int) -> None:
        number = 0
        with httpx.Client(headers=self._headers, timeout=120, trust_env=False) as http:
            while not self._ended.is_set():
                number += 1
                self._put(http, f"c{client}-{number}", number)
                self._ended.wait(PAUSE_S)

    def _put(self, http: httpx.Client, id_: str, turn: int) -> None:
        chunk = {"document_id": "d", "text": id_, "embedding": [1.0, 2.0]}
        while True:
            url = self._urls[turn % len(self._urls)]
            try:
                answer = http.put(f"{url}/libraries/{self.LIBRARY}/chunks/{id_}", json=chunk)
            except httpx.TransportError:
                with self._lock:
                    self.unanswered += 1
                turn += 1
            else:
                self.answers.append(answer)
                return

    def _stored(self, url: str) -> set[str]:
        """Return the ids of the chunks that a strong read of all pages finds."""
        ids: set[str] = set()
        query: dict[str, Any] = {"limit": 1000}
        strong = {"Nalanda-Consistency": "strong", **self._headers}
        while True:
            path = f"/libraries/{self.LIBRARY}/chunks"
            page = call(url, "GET", path, params=query, headers=strong)
            assert page is not None
            ids |= {item["id"] for item in page.json()["items"]}
            query["cursor"] = page.json()["next_cursor"]
            if query["cursor"] is None:
                return ids
