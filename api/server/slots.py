"""Connection slots: their number in total and per client, and the choice of an eviction."""

import math
from collections import Counter, defaultdict
from ipaddress import IPv6Address, ip_address
from typing import Protocol

_NETWORK_BYTES = 8
"""The client's part of an IPv6 address: providers assign networks of 64 bits or shorter."""


class Evictable(Protocol):
    """A connection that its slot's owner can close."""

    def evict(self) -> None:
        """Close, because a new connection gets the slot."""


class Slots:
    """The open connections by client, including those without a request so far.

    When no slot is free, `acquire` evicts the oldest connection without a request, of the same
    client or of the client with the most such connections. So a client that only connects blocks no
    other client, and a slow sender blocks only itself.
    """

    def __init__(self, most: int, most_per_client: int | None = None) -> None:
        self._most = most
        self._most_per_client = most_per_client or share_of(most)
        self._clients: dict[Evictable, str] = {}
        self._open: Counter[str] = Counter()
        self._waiting: defaultdict[str, dict[Evictable, None]] = defaultdict(dict)

    def acquire(self, connection: Evictable, address: str) -> bool:
        """Count a new connection; return whether there is a slot for it."""
        client = client_of(address)
        has_room = self._make_room(client)
        self._clients[connection] = client
        self._open[client] += 1
        if has_room:
            self._waiting[client][connection] = None
        return has_room

    def protect(self, connection: Evictable) -> None:
        """Exclude a connection from eviction, as it has sent a request."""
        self._stop_waiting(connection, self._clients.get(connection))

    def release(self, connection: Evictable) -> None:
        """Free the slot; do nothing for an evicted connection."""
        client = self._clients.pop(connection, None)
        if client is None:
            return
        self._stop_waiting(connection, client)
        self._open[client] -= 1
        if not self._open[client]:
            del self._open[client]

    def _make_room(self, client: str) -> bool:
        if self._open[client] >= self._most_per_client:
            return self._evict_one(client)
        if len(self._clients) < self._most:
            return True
        largest = max(self._waiting, key=lambda each: self._open[each], default=client)
        has_more = self._open[largest] >= self._open[client]
        return has_more and self._evict_one(largest)

    def _evict_one(self, client: str) -> bool:
        oldest = next(iter(self._waiting.get(client, ())), None)
        if oldest is None:
            return False
        self.release(oldest)
        oldest.evict()
        return True

    def _stop_waiting(self, connection: Evictable, client: str | None) -> None:
        waiting = self._waiting.get(client) if client is not None else None
        if client is not None and waiting is not None:
            waiting.pop(connection, None)
            if not waiting:
                del self._waiting[client]


def share_of(most: int) -> int:
    """Return the default number of connections that one client may have."""
    return math.ceil(most * 3 / 4)


def client_of(address: str) -> str:
    """Return an address's client: an IPv4 address, or a network of IPv6."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return parsed.packed[:_NETWORK_BYTES].hex()
    return str(parsed)
