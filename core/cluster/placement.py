"""The nodes that hold a library, by weighted rendezvous hashing, which each node does by itself.

A node's score for a library depends on no other node, so a node that joins or leaves moves only
the libraries that it gains or loses (Thaler and Ravishankar 1998; weights as in Schindler 2005).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

_STEPS = 2**52
"""The number of hashes; a float is exact in the middle between two of them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that libraries can be placed on; its share of them is that of its capacity.

    Raises:
        ValueError: `capacity_bytes` is not positive.
    """

    node_id: str
    capacity_bytes: int

    def __post_init__(self) -> None:
        if self.capacity_bytes <= 0:
            raise ValueError(f"The capacity of the node {self.node_id!r} must be positive.")


def place(library_id: str, nodes: Iterable[Candidate], replication_factor: int) -> tuple[str, ...]:
    """Return the ids of the nodes that hold a library, the first choice first: O(n log n).

    All nodes hold it if there are at most `replication_factor`. The order of `nodes` is of no
    account.
    """
    ranked = sorted(nodes, key=lambda node: (-_score(library_id, node), node.node_id))
    return tuple(node.node_id for node in ranked[:replication_factor])


def _score(library_id: str, node: Candidate) -> float:
    """Return the capacity over an exponential variate that the two ids decide."""
    # A length before the first id, so that no two pairs of ids are the same bytes.
    key = f"{len(library_id)}:{library_id}{node.node_id}".encode()
    number = int.from_bytes(blake2b(key, digest_size=8).digest(), "big") % _STEPS
    return node.capacity_bytes / -math.log((number + 0.5) / _STEPS)
