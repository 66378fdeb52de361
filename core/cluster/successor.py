"""The choice of the node that a leader hands over to."""

from collections.abc import Sequence

from core.domain.errors import Conflict, Invalid
from core.ports.cluster import Sighting


def choose_successor(
    to: str | None, leader_id: str, nodes: Sequence[Sighting], lease_s: float
) -> str:
    """Return the node `to`, or the live one with the highest position that may lead.

    Raises:
        Invalid: there is no such node.
        Conflict: it leads already, may only follow, or was not seen for `lease_s`.
    """
    if to == leader_id:
        raise Conflict(f"The node {to!r} leads already.")
    able = [each for each in nodes if each.may_lead and each.age_s < lease_s]
    if to is None:
        others = [each for each in able if each.node_id != leader_id]
        if not others:
            raise Conflict("No other node is alive that may lead, so this one goes on to lead.")
        return max(others, key=lambda each: each.position).node_id
    if to not in {each.node_id for each in nodes}:
        raise unknown_node(to)
    if to not in {each.node_id for each in able}:
        raise Conflict(f"The node {to!r} is not alive, or may only follow.")
    return to


def unknown_node(node_id: str) -> Invalid:
    """Return the error of a hand-over to a node that was never seen, or not for long."""
    return Invalid.at("/to", f"There is no node {node_id!r}: GET /cluster lists the nodes.")
