"""The nodes of a database, and the order in which a call tries them.

| failure | a read | a request for the leader |
|---|---|---|
| not reached, or no answer in time | another node at once | another node at once |
| 502, 503, 504 | another node at once | after a delay |
| 429 | after a delay | after a delay |

Once all nodes have failed, a call begins with all of them again, after a delay.
"""

from collections.abc import Collection, Sequence
from threading import Lock
from time import monotonic

import httpx

from nalanda._errors import ConnectionFailed, NalandaError, TimedOut, UnavailableError
from nalanda._requests import Request, delay_s

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout)

SHORTEST_ABSENCE_S = 1.0
LONGEST_ABSENCE_S = 30.0


class Nodes:
    """The nodes by their addresses, and the one that leads; threads may share it.

    Reads take the nodes in turn. A node that fails is left out for as long as the failure took,
    and twice as long for each more in a row.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = tuple(addresses)
        self._lock = Lock()
        self._turn = 0
        self._leader: str | None = None
        self._absent_until = dict.fromkeys(addresses, 0.0)
        self._absence_s = dict.fromkeys(addresses, 0.0)

    def choose(self, *, for_leader: bool, tried: Collection[str] = ()) -> str:
        """Return the leader, if it is asked for and known, else the next node that answers."""
        with self._lock:
            now = monotonic()
            leader = self._leader
            if for_leader and leader is not None and leader not in tried:
                return leader
            turns = (*self.addresses[self._turn :], *self.addresses[: self._turn])
            left = [address for address in turns if address not in tried] or turns
            present = [address for address in left if self._absent_until[address] <= now]
            chosen = present[0] if present else min(left, key=self._absent_until.__getitem__)
            self._turn = (self.addresses.index(chosen) + 1) % len(self.addresses)
            return chosen

    def learn_leader(self, address: str) -> None:
        with self._lock:
            self._leader = address

    def report_success(self, address: str) -> None:
        with self._lock:
            self._absence_s[address] = 0.0

    def report_failure(self, address: str, error: NalandaError, took_s: float) -> None:
        """Leave a node out that can't serve now; it does not count as the leader any more."""
        if not isinstance(error, ConnectionFailed | TimedOut | UnavailableError):
            return
        with self._lock:
            if self._leader == address:
                self._leader = None
            absence_s = max(SHORTEST_ABSENCE_S, took_s, 2 * self._absence_s.get(address, 0.0))
            self._absence_s[address] = min(absence_s, LONGEST_ABSENCE_S)
            self._absent_until[address] = monotonic() + self._absence_s[address]


class Route:
    """The nodes that one call tries until its deadline.

    `max_retries` bounds how often the call begins with all nodes again; `None`: the deadline alone
    does.
    """

    def __init__(
        self, nodes: Nodes, request: Request, *, timeout_s: float, max_retries: int | None
    ) -> None:
        self._nodes = nodes
        self._request = request
        self._deadline = monotonic() + timeout_s
        self._max_retries = max_retries
        self._retries = 0
        self._tried: set[str] = set()
        self._failures: dict[str, NalandaError] = {}
        self._began = 0.0
        self.node = ""
        self.has_checked_record = False

    def next_node(self) -> str:
        self._began = monotonic()
        self.node = self._nodes.choose(for_leader=self._request.is_for_leader, tried=self._tried)
        return self.node

    @property
    def timeout_s(self) -> float:
        """Return the time of the attempt, which leaves time for two other nodes, if there are any.

        So a node that is paused, or cut off, uses up a quarter of the call's time.
        """
        others = len(self._untried - {self.node}) if self._is_safe else 0
        return (self._deadline - monotonic()) / (1, 2, 4)[min(others, 2)]

    def redirect(self, leader: str) -> bool:
        """Return whether the leader is to be tried next, which it is once in a round."""
        self._nodes.learn_leader(leader)
        self._tried.add(self.node)
        return leader not in self._tried

    def delay_s(self, error: NalandaError) -> float | None:
        """Return the delay before the next attempt, or `None` if there is none to be."""
        self._tried.add(self.node)
        self._failures[self.node] = error
        now = monotonic()
        self._nodes.report_failure(self.node, error, now - self._began)
        delay = delay_s(error, self._retries)
        if delay is None or not (self._is_safe or isinstance(error.__cause__, _NOT_SENT)):
            return None
        if self._untried and self._is_of_node(error):
            return 0.0 if now < self._deadline else None
        if self._retries == self._max_retries or now + delay >= self._deadline:
            return None
        self._retries += 1
        self._tried.clear()
        return delay

    def explain(self, error: NalandaError) -> None:
        """Let the last error say what the other nodes did as well, if this one was not reached."""
        if len(self._failures) > 1 and isinstance(error, ConnectionFailed | TimedOut):
            reasons = [_sentence(str(each)) for each in self._failures.values()]
            error.args = (f"No node has answered. {' '.join(reasons)}",)

    @property
    def _untried(self) -> set[str]:
        return set(self._nodes.addresses) - self._tried

    @property
    def _is_safe(self) -> bool:
        """Return whether it does no harm to send the request twice."""
        return self._request.repeatable or self._request.method == "GET"

    def _is_of_node(self, error: NalandaError) -> bool:
        """Return whether another node may do what this one did not."""
        if isinstance(error, ConnectionFailed | TimedOut):
            return True
        return isinstance(error, UnavailableError) and not self._request.is_for_leader


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}."
