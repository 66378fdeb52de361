"""The nodes that hold a library, by weighted rendezvous hashing, which each node does by itself.

A node's score for a library depends on no other node, so a node that joins or leaves moves only
the libraries that it gains or loses (Thaler and Ravishankar 1998; weights as in Schindler 2005).
"""

import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from core.domain.errors import StorageError
from core.ports.cluster import Node, Sighting
from core.settings import Settings

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


class Placement:
    """The libraries that a node is to hold, by the nodes that were last seen.

    A node counts until it was not seen for `grace_s`, in which it may restart. Other nodes than
    before count once they have been the same for `settled_s`: after an outage of the database no
    node has been seen lately, until each has reported itself again.
    """

    def __init__(
        self,
        node: Node,
        replication_factor: int,
        *,
        grace_s: float,
        settled_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        assert node.capacity_bytes is not None
        self._own = Candidate(node.id, node.capacity_bytes)
        self._replication_factor = replication_factor
        self._grace_s, self._settled_s = grace_s, settled_s
        self._clock = clock
        # The nodes that count, and what follows from them; replaced as a whole.
        self._current: tuple[frozenset[Candidate], dict[str, tuple[str, ...]]] = (frozenset(), {})
        self._seen: tuple[frozenset[Candidate], float] = (frozenset(), 0.0)

    def note(self, nodes: Iterable[Sighting]) -> None:
        """Note the nodes as they were last seen."""
        there = {
            Candidate(each.node_id, each.capacity_bytes)
            for each in nodes
            if each.capacity_bytes is not None
            and each.age_s < self._grace_s
            and each.node_id != self._own.node_id
        }
        seen = frozenset({self._own, *there})
        if seen != self._seen[0]:
            self._seen = seen, self._clock()
        counted, _ = self._current
        is_settled = not counted or self._clock() - self._seen[1] >= self._settled_s
        if is_settled and seen != counted:
            self._current = seen, {}

    def holders_of(self, library_id: str) -> Sequence[str]:
        """Return the ids of the nodes that are to hold a library."""
        nodes, holders = self._current
        if library_id not in holders:
            holders[library_id] = place(library_id, nodes, self._replication_factor)
        return holders[library_id]

    def holds(self, library_id: str) -> bool:
        return self._own.node_id in self.holders_of(library_id)


def capacity_of(settings: Settings) -> int | None:
    """Return the capacity of a node in bytes; `None` if it holds all libraries.

    A node that may lead holds all of them. Where no capacity is set it is the machine's memory.
    """
    if settings.replication_factor is None or settings.role != "follower":
        return None
    return settings.capacity_bytes or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def placement_of(settings: Settings, node: Node) -> Placement | None:
    """Return the placement of libraries on a node; `None` if the node holds all of them.

    Raises:
        StorageError: the node has readers, which hold all libraries.
    """
    if settings.replication_factor is None or node.capacity_bytes is None:
        return None
    if settings.readers > 1:
        raise StorageError(
            "A node that holds some of the libraries (NALANDA_REPLICATION_FACTOR) can't have"
            " readers: set NALANDA_READERS to 1."
        )
    grace_s, settled_s = settings.placement_grace_s, settings.lease_s
    return Placement(node, settings.replication_factor, grace_s=grace_s, settled_s=settled_s)
