# Written by sdk/unasync.py from _async/cluster.py: change that one, then `make generate`.
"""`client.cluster`."""

import time
from time import monotonic

from nalanda._errors import TimedOut
from nalanda._models.cluster import Cluster, HandOver
from nalanda._requests import Request
from nalanda._sync.transport import Transport

POLL_S = 0.1


class Clusters:
    """Methods of the nodes that serve the database."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def status(self, *, library: str | None = None) -> Cluster:
        """Return the cluster as one of its nodes knows it; `library`: whose digest to return.

        Raises:
            NotFoundError: there is no such library.
            UnavailableError: the node does not hold the library.
        """
        params = {} if library is None else {"library": library}
        return self._transport.fetch(Cluster, Request("GET", "/cluster", params=params))

    def hand_over(self, to: str | None = None) -> HandOver:
        """Let the node with this id lead, or the one that is furthest; return before it does.

        Raises:
            ConflictError: the node leads already, or no such node could lead.
            ValidationError: there is no such node.
        """
        body = {} if to is None else {"to": to}
        request = Request("POST", "/cluster/hand-over", body=body, repeatable=False)
        return self._transport.fetch(HandOver, request)

    def wait_for_leader(self, hand_over: HandOver, *, timeout_s: float = 60.0) -> Cluster:
        """Wait until a node leads after a hand-over; it is another one than `to` if that failed.

        Raises:
            TimedOut: no node leads in time.
        """
        deadline = monotonic() + timeout_s
        while True:
            cluster = self.status()
            if cluster.epoch > hand_over.epoch and cluster.leader is not None:
                return cluster
            if monotonic() >= deadline:
                raise TimedOut(f"No node has taken over from epoch {hand_over.epoch} yet.")
            time.sleep(POLL_S)
