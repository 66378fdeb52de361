"""Followers that hold some of the libraries, and move them when one joins or leaves."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from core.adapters.postgres.cluster import PostgresClusterRecord
from core.cluster.placement import Candidate, place
from core.indexing.views.digests import Digests
from core.ports.cluster import Sighting
from tests.integration.cluster.conftest import a_node
from tests.integration.cluster.nodes import ClusterNode
from tests.samples import a_document, a_library, a_row
from tests.waiting import until

LIBRARIES = [f"library-{number}" for number in range(12)]
MOVED_S = 120.0


class Nodes:
    """A leader, and followers that are started and closed."""

    def __init__(self, url: str, folder: Path, stack: ExitStack) -> None:
        self._url = url
        self._folder = folder
        self._stack = stack
        self.leader = ClusterNode(url, folder / "leader")
        stack.callback(self.leader.close)
        self.followers: dict[str, ClusterNode] = {}

    def add(self, name: str, factor: int = 1) -> ClusterNode:
        follower = ClusterNode(
            self._url, self._folder / name, policy="follower", replication_factor=factor
        )
        self.followers[name] = follower
        self._stack.callback(self.remove, name)
        return follower

    def remove(self, name: str) -> None:
        if name in self.followers:
            self.followers.pop(name).close()

    def fill(self, library_id: str) -> None:
        with self.leader.store.write() as unit:
            unit.libraries.put(a_library(library_id))
            unit.documents.put(a_document("d", library_id))
            unit.chunks.put(library_id, [a_row(f"c{n}", "d", library_id) for n in range(3)])
            unit.commit()

    def wait_until_placed(self, factor: int = 1) -> None:
        """Wait until each follower holds its libraries; some follower holds each meanwhile."""
        candidates = [Candidate(node.id, 1) for node in self.followers.values()]
        wanted = {id_: set(place(id_, candidates, factor)) for id_ in LIBRARIES}

        def is_placed() -> bool:
            held = {
                id_: {node.id for node in self.followers.values() if node.has(id_)}
                for id_ in LIBRARIES
            }
            seen = {
                id_: {node.node_id for node in self.seen() if id_ in (node.holdings or ())}
                for id_ in LIBRARIES
            }
            return held == wanted == seen

        until(is_placed, MOVED_S)

    def seen(self) -> list[Sighting]:
        ids = {node.id for node in self.followers.values()}
        return [node for node in self.leader.member.status().nodes if node.node_id in ids]

    def check(self) -> None:
        """Compare each library on each follower with the leader's."""
        written = self.leader.catalog.position
        until(lambda: all(n.catalog.position == written for n in self.followers.values()))
        expected = Digests()
        for node in self.followers.values():
            state = node.catalog.state
            assert state.library_ids == set(LIBRARIES)
            for id_ in state.views:
                assert Digests().of(state, id_) == expected.of(self.leader.catalog.state, id_)


@pytest.fixture
def nodes(postgres_url: str, tmp_path: Path) -> Iterator[Nodes]:
    with ExitStack() as stack:
        yield Nodes(postgres_url, tmp_path, stack)


def test_libraries_follow_the_nodes_that_join_and_leave(nodes: Nodes) -> None:
    nodes.add("a")
    for id_ in LIBRARIES[:6]:
        nodes.fill(id_)
    nodes.add("b")
    for id_ in LIBRARIES[6:]:
        nodes.fill(id_)
    nodes.wait_until_placed()
    nodes.check()
    nodes.add("c")
    nodes.wait_until_placed()
    nodes.check()
    nodes.remove("a")
    nodes.wait_until_placed()
    nodes.check()
    assert all(nodes.leader.has(id_) for id_ in LIBRARIES)


def test_two_copies_of_three(nodes: Nodes) -> None:
    for id_ in LIBRARIES:
        nodes.fill(id_)
    for name in ("a", "b", "c"):
        nodes.add(name, factor=2)
    nodes.wait_until_placed(2)
    nodes.check()


def test_a_library_is_held_by_some_follower_while_it_moves(nodes: Nodes) -> None:
    for id_ in LIBRARIES:
        nodes.fill(id_)
    first = nodes.add("a")
    until(lambda: all(first.has(id_) for id_ in LIBRARIES), MOVED_S)
    second = nodes.add("b")

    def is_moved() -> bool:
        # The node that leaves a library is asked first: it may only miss once the other has it.
        missed = [id_ for id_ in LIBRARIES if not first.has(id_)]
        assert all(second.has(id_) for id_ in missed)
        return len(missed) == len([id_ for id_ in LIBRARIES if second.has(id_)]) > 0

    until(is_moved, MOVED_S)
    nodes.wait_until_placed()


def test_a_live_holder_is_named_before_nodes_that_hold_everything(nodes: Nodes) -> None:
    for id_ in LIBRARIES:
        nodes.fill(id_)
    a, b = nodes.add("a"), nodes.add("b")
    nodes.wait_until_placed()
    until(lambda: {a.id, b.id} <= {each.node_id for each in a.member.status().nodes})
    [on_b, *_] = [id_ for id_ in LIBRARIES if b.has(id_)]
    until(lambda: list(a.member.holders_of(on_b)) == [b.node.address, nodes.leader.node.address])
    [on_a, *_] = [id_ for id_ in LIBRARIES if a.has(id_)]
    assert list(a.member.holders_of(on_a)) == [nodes.leader.node.address]


def test_holdings_are_read_again_where_they_have_changed(record: PostgresClusterRecord) -> None:
    placed, whole = replace(a_node("a"), capacity_bytes=7), a_node("b")
    record.register(placed, "follower", 0, may_lead=False)
    record.register(whole, "follower", 0, may_lead=True)
    seen = {each.node_id: each for each in record.look().nodes}
    assert (seen["a"].capacity_bytes, seen["a"].holdings) == (7, frozenset())
    assert (seen["b"].capacity_bytes, seen["b"].holdings) == (None, None)
    assert seen["b"].holds("l1")
    for held in (["l1"], ["l2", "l1"], []):
        record.publish_holdings(placed, held)
        assert record.report(placed, "follower", 1, may_lead=False)
        [a, _] = record.look().nodes
        assert a.holdings == frozenset(held)
        assert a.holds("l1") == ("l1" in held)


def test_another_process_of_a_node_holds_nothing_yet(record: PostgresClusterRecord) -> None:
    placed = replace(a_node("a"), capacity_bytes=7)
    record.register(placed, "follower", 0, may_lead=False)
    record.publish_holdings(placed, ["l1"])
    record.register(replace(placed, incarnation="second"), "follower", 0, may_lead=False)
    record.publish_holdings(placed, ["l2"])
    [a] = record.look().nodes
    assert a.holdings == frozenset()
