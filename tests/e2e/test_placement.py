"""Followers that hold some of the libraries join and leave under load, and no read is refused."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Lock

import httpx
import pytest

from tests.e2e.nodes import PAUSE_S, call
from tests.e2e.stack import Stack, node_of
from tests.postgres import PostgresServer
from tests.threads import run_threads
from tests.waiting import until

LIBRARIES = [f"library-{number}" for number in range(8)]
CHUNKS, CLIENTS = 40, 3
MOVED_S = 240.0
SETTINGS = {"NALANDA_PROVIDER": "local", "NALANDA_LEASE_S": "10"}
PLACED = {
    **SETTINGS,
    "NALANDA_ROLE": "follower",
    "NALANDA_REPLICATION_FACTOR": "1",
    "NALANDA_PLACEMENT_GRACE_S": "15",
    "NALANDA_CAPACITY_BYTES": "1000000",
}


class Cluster:
    """A leader, and followers by name."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self.leader = node_of(folder / "leader", url, **SETTINGS)
        self.followers: dict[str, Stack] = {}
        """Those that are ready, and not about to end."""
        self.started = [self.leader]

    def add(self, name: str) -> None:
        node = node_of(self._folder / name, self._url, **PLACED)
        self.started.append(node)
        # The ids decide the placement, which gives each of the nodes of this test a library.
        data = self._folder / name / "data"
        data.mkdir(mode=0o700)
        (data / "node").write_text(name)
        node.start("api")
        self.followers[name] = node

    def stop(self, name: str) -> None:
        self.followers.pop(name).stop("api")

    def kill(self, name: str) -> None:
        self.followers.pop(name).kill("api")

    def holdings(self) -> Mapping[str, list[str]]:
        """Return what each follower holds, by its address, as the leader knows it."""
        answer = call(self.leader.api_url, "GET", "/cluster")
        assert answer is not None
        nodes = {each["address"]: each for each in answer.json()["nodes"]}
        addresses = [node.api_url for node in self.followers.values()]
        return {url: nodes[url]["libraries"] for url in addresses if url in nodes}

    def wait_until_placed(self) -> None:
        """Wait until each library is on one follower, and each follower has some."""

        def is_placed() -> bool:
            held = self.holdings()
            ids = sorted(id_ for ids in held.values() for id_ in ids)
            return len(held) == len(self.followers) and ids == LIBRARIES and all(held.values())

        until(is_placed, MOVED_S)

    def fill(self, library_id: str) -> None:
        url = self.leader.api_url
        body = {"name": f"name of {library_id}", "dimension": 2}
        chunks = [
            {"id": f"{library_id}-c{n}", "text": f"harbour {n}", "embedding": [1.0, float(n)]}
            for n in range(CHUNKS)
        ]
        for path, content in (("", body), ("/documents/d", {"chunks": chunks})):
            made = call(url, "PUT", f"/libraries/{library_id}{path}", json=content)
            assert made is not None
            assert made.status_code == 201, made.text


class Readers:
    """Clients that read all libraries through the nodes that are not about to end."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ended = Event()
        self._lock = Lock()
        self.answers = 0
        self.refused: list[str] = []

    @contextmanager
    def read(self) -> Iterator[None]:
        with run_threads(self._ended, *(partial(self._run, n) for n in range(CLIENTS))):
            yield

    def wait_for_more(self, count: int = 60) -> None:
        enough = self.answers + count
        until(lambda: self.answers >= enough, MOVED_S)

    def _run(self, client: int) -> None:
        chance = random.Random(client)
        with httpx.Client(timeout=120, trust_env=False) as http:
            while not self._ended.is_set():
                names = list(self._cluster.followers)
                nodes = [self._cluster.leader, *map(self._cluster.followers.get, names)]
                node = chance.choice([each for each in nodes if each is not None])
                self._ask(http, node, chance.choice(LIBRARIES), chance.randrange(4))
                self._ended.wait(PAUSE_S)

    def _ask(self, http: httpx.Client, node: Stack, library_id: str, kind: int) -> None:
        base = f"{node.api_url}/libraries/{library_id if kind % 2 else f'name of {library_id}'}"
        try:
            if kind < 2:
                body = {"embedding": [1.0, 0.0], "k": CHUNKS, "mode": "vector"}
                answer = http.post(f"{base}/search", json=body)
                found = len(answer.json().get("hits", ()))
            elif kind == 2:
                answer = http.post(f"{base}/search", json={"text": "harbour", "mode": "lexical"})
                found = CHUNKS if len(answer.json().get("hits", ())) == 10 else 0
            else:
                answer = http.get(f"{base}/chunks", params={"limit": 100})
                found = len(answer.json().get("items", ()))
        except httpx.TransportError as error:
            if node in self._cluster.followers.values() or node is self._cluster.leader:
                self._refuse(f"{base}: {error!r}")
            return  # the node has ended
        if answer.status_code == 200 and found == CHUNKS:
            with self._lock:
                self.answers += 1
        else:
            self._refuse(f"{base}: {answer.status_code} {found} {answer.text[:300]}")

    def _refuse(self, reason: str) -> None:
        with self._lock:
            self.refused.append(reason)


@pytest.fixture
def cluster(postgres: PostgresServer, tmp_path: Path) -> Iterator[Cluster]:
    with postgres.database() as url:
        cluster = Cluster(tmp_path, url)
        try:
            cluster.leader.start("api")
            yield cluster
        finally:
            for node in cluster.started:
                node.__exit__(None, None, None)


def test_libraries_move_without_a_refused_read(cluster: Cluster) -> None:
    cluster.add("a")
    for library_id in LIBRARIES:
        cluster.fill(library_id)
    cluster.wait_until_placed()
    readers = Readers(cluster)
    with readers.read():
        readers.wait_for_more()
        cluster.add("b")
        cluster.wait_until_placed()
        readers.wait_for_more()
        check_digests(cluster)
        cluster.kill("a")
        readers.wait_for_more()
        cluster.wait_until_placed()
        readers.wait_for_more()
        cluster.add("c")
        cluster.wait_until_placed()
        cluster.stop("b")
        readers.wait_for_more()
        cluster.wait_until_placed()
        readers.wait_for_more()
    assert readers.refused == []
    check_digests(cluster)


def check_digests(cluster: Cluster) -> None:
    """Check that each library is on its follower as it is on the leader."""
    for url, ids in cluster.holdings().items():
        for id_ in ids:
            digests = {digest_on(each, id_) for each in (url, cluster.leader.api_url)}
            assert len(digests) == 1
            assert None not in digests
        whole = call(url, "GET", "/cluster")
        assert whole is not None
        assert (whole.json()["digest"] is None) == (len(ids) < len(LIBRARIES))


def digest_on(url: str, library_id: str) -> str | None:
    answer = call(url, "GET", "/cluster", params={"library": library_id})
    assert answer is not None
    assert answer.status_code == 200, answer.text
    digest: str | None = answer.json()["digest"]
    return digest
