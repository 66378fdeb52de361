"""The nodes that hold a library: the same on each node, in proportion, and rarely others."""

import math
from collections.abc import Mapping, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cluster.placement import Candidate, place

LIBRARIES = [f"library-{number}" for number in range(2_000)]
EQUAL = [Candidate(f"node-{number}", 100) for number in range(5)]

CANDIDATES = st.lists(
    st.builds(Candidate, st.text("abc", min_size=1), st.integers(1, 2**50)),
    unique_by=lambda node: node.node_id,
    max_size=6,
)
FACTORS = st.integers(1, 4)


def test_the_choice_is_that_of_every_version_of_the_program() -> None:
    """The values are written down: a change of them moves all libraries of all clusters."""
    nodes = [Candidate("a", 100), Candidate("b", 100), Candidate("c", 200), Candidate("d", 50)]
    assert place("papers", nodes, 9) == ("a", "c", "b", "d")
    assert place("0192f0c1-7b1e-7000-8000-000000000001", nodes, 9) == ("c", "b", "a", "d")
    assert place("Übung", nodes, 9) == ("c", "a", "d", "b")
    assert place("x", nodes, 2) == ("a", "b")


@given(st.text(), CANDIDATES, FACTORS, st.randoms())
def test_the_order_of_the_nodes_is_of_no_account(
    library_id: str, nodes: list[Candidate], factor: int, chance: Random
) -> None:
    placed = place(library_id, nodes, factor)
    chance.shuffle(nodes)
    assert place(library_id, nodes, factor) == placed
    assert len(placed) == len(set(placed)) == min(factor, len(nodes))
    assert set(placed) <= {node.node_id for node in nodes}


@given(st.text(), CANDIDATES, FACTORS, st.data())
def test_a_node_that_leaves_moves_only_what_it_held(
    library_id: str, nodes: list[Candidate], factor: int, data: st.DataObject
) -> None:
    if not nodes:
        return
    gone = data.draw(st.sampled_from(nodes))
    before = place(library_id, nodes, factor)
    after = place(library_id, [node for node in nodes if node is not gone], factor)
    kept = tuple(node_id for node_id in before if node_id != gone.node_id)
    assert after[: len(kept)] == kept
    if gone.node_id not in before:
        assert after == before


@given(st.text(), CANDIDATES, FACTORS)
def test_a_copy_more_leaves_the_others_where_they_are(
    library_id: str, nodes: list[Candidate], factor: int
) -> None:
    fewer = place(library_id, nodes, factor)
    assert place(library_id, nodes, factor + 1)[: len(fewer)] == fewer


@given(st.text(), CANDIDATES, st.integers(1, 2**10))
def test_a_node_with_more_capacity_never_loses_a_library(
    library_id: str, nodes: list[Candidate], times: int
) -> None:
    if not nodes:
        return
    grown = Candidate(nodes[0].node_id, nodes[0].capacity_bytes * times)
    if place(library_id, nodes, 1) == (grown.node_id,):
        assert place(library_id, [grown, *nodes[1:]], 1) == (grown.node_id,)


def test_equal_nodes_hold_equal_shares() -> None:
    held = place_all(EQUAL, 2)
    expected = 2 * len(LIBRARIES) / len(EQUAL)
    for ids in held.values():
        assert abs(len(ids) - expected) < _tolerance(2 / len(EQUAL))


def test_shares_are_in_proportion_to_capacity() -> None:
    nodes = [Candidate("small", 1), Candidate("middle", 2), Candidate("large", 5)]
    held = place_all(nodes, 1)
    for node in nodes:
        share = node.capacity_bytes / 8
        assert abs(len(held[node.node_id]) - share * len(LIBRARIES)) < _tolerance(share)


def test_a_node_that_joins_takes_its_share_from_all_others() -> None:
    before = place_all(EQUAL, 1)
    after = place_all([*EQUAL, Candidate("new", 100)], 1)
    for node_id, ids in before.items():
        assert after[node_id] <= ids
        assert len(after[node_id]) < len(ids)
    moved = sum(len(ids - after[node_id]) for node_id, ids in before.items())
    assert moved == len(after["new"])
    assert abs(moved - len(LIBRARIES) / 6) < _tolerance(1 / 6)


def test_no_node_holds_nothing() -> None:
    assert place("papers", [], 2) == ()


def test_ids_that_read_alike_together_are_different_pairs() -> None:
    """Hashes of the joined ids alone would rank these libraries' nodes in the same way."""
    nodes = [[Candidate(f"{tail}{number}", 1) for number in range(50)] for tail in ("b", "")]
    first = [node_id[1:] for node_id in place("a", nodes[0], 50)]
    assert first != list(place("ab", nodes[1], 50))


@pytest.mark.parametrize("capacity_bytes", [0, -1])
def test_a_node_without_capacity_is_refused(capacity_bytes: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Candidate("a", capacity_bytes)


def place_all(nodes: Sequence[Candidate], factor: int) -> Mapping[str, set[str]]:
    """Return the libraries that each node holds, by the node's id."""
    held: dict[str, set[str]] = {node.node_id: set() for node in nodes}
    for library_id in LIBRARIES:
        for node_id in place(library_id, nodes, factor):
            held[node_id].add(library_id)
    return held


def _tolerance(share: float) -> float:
    """Return five standard deviations of a binomial count; the ids are fixed, so is the result."""
    return 5 * math.sqrt(len(LIBRARIES) * share * (1 - share))
