"""Nodes with one id, of which one's data directory is a copy of the other's."""

from collections.abc import Callable

from core.cluster.lease import SteadyClock
from core.domain.errors import StorageError
from core.ports.cluster import ClusterRecord, Node, Sighting

COPIED = (
    "Another node has the id {}: one's data directory is a copy of the other's. Stop one of both,"
    " remove the file `node` from its data directory, and start it again."
)
_POLL_S = 0.1


def refuse_copy(
    node: Node,
    record: ClusterRecord,
    lease_s: float,
    clock: SteadyClock,
    pause: Callable[[float], None],
) -> None:
    """Wait until a node with this one's id and another address is long gone.

    Raises:
        StorageError: the other node is alive.
        Unavailable: the database can't be reached.
    """
    while other := _find_copy(node, record, lease_s):
        until = clock() + lease_s - other.age_s
        while clock() < until:
            seen = _find_copy(node, record, lease_s)
            if seen is not None and seen.last_seen_at != other.last_seen_at:
                raise StorageError(f"{COPIED.format(node.id)} It is at {seen.address}.")
            pause(_POLL_S)


def _find_copy(node: Node, record: ClusterRecord, lease_s: float) -> Sighting | None:
    """Return the node with this one's id at another address, if it may be alive."""
    for each in record.look().nodes:
        is_other = each.node_id == node.id and each.address != node.address
        if is_other and each.age_s < lease_s:
            return each
    return None
