"""A node that takes part in the election of the one that writes."""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from core.background_thread import BackgroundThread
from core.cluster.copies import COPIED, refuse_copy
from core.cluster.lease import HeldLease, Observation, SteadyClock, boot_s
from core.cluster.starting import call_at_start
from core.cluster.status import ClusterStatus, HandOver, Leader
from core.cluster.successor import choose_successor
from core.domain.errors import NalandaError, NotLeading, StorageError
from core.ports.cluster import ClusterRecord, Lease, Look, Node, Role, Sighting, Term
from core.ports.store import FollowingStore

BEATS = 3
"""The renewals in the length of a lease."""

POLL_S = 0.1
"""The time between two looks at the lease."""

HANDED_OVER_POLL_S = 0.02
"""The same, while a lease waits for the node that it was handed over to."""

OFFER = 0.5
"""The part of a lease in which the node that it was handed over to has to take it."""

RolePolicy: TypeAlias = Literal["auto", "leader", "follower"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Offer:
    """A released lease that one node may take, until it is offered again at `until_s`."""

    epoch: int
    successor: str
    until_s: float


class Member:
    """The thread that looks at the lease, takes it when no other node has it, and renews it.

    The store follows while another node leads. `position` is that of the index. A node takes the
    lease only at the record's position, and writes only once its index has everything that the
    fence let in before, and nothing else.
    """

    def __init__(
        self,
        node: Node,
        record: ClusterRecord,
        store: FollowingStore,
        position: Callable[[], int],
        *,
        lease_s: float,
        policy: RolePolicy = "auto",
        clock: SteadyClock = boot_s,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._node = node
        self._record = record
        self._store = store
        self._position = position
        self._lease_s = lease_s
        self._policy = policy
        self._clock = clock
        self._pause = pause
        self.problem: str | None = None
        """What keeps the node from ever leading again, and what to do."""
        self._turn = threading.Lock()
        # Guarded by `_turn`.
        self._observation = Observation(clock)
        self._term: Term | None = None
        self._offer: _Offer | None = None
        self._reported_s = 0.0
        self._failure: str | None = None
        # Replaced as a whole.
        self._held: HeldLease | None = None
        self._look: Look | None = None
        self._elections = 0
        self._turns = itertools.count()
        self._is_leaving = False
        self._thread = BackgroundThread(
            "cluster",
            self.tick,
            failure="The election has failed; it will be tried again.",
            retry_s=POLL_S,
        )

    def start(self) -> None:
        """Register the node, and lead at once if no other node holds the lease.

        Raises:
            StorageError: a node with the same id is alive at another address, or another node
                leads where this one has to.
            Unavailable: the database can't be reached.
        """
        call_at_start(self._join, clock=self._clock, pause=self._pause)
        self._thread.start()
        if self._policy == "leader":
            self._wait_until_leading()

    def _join(self) -> None:
        with self._turn:
            refuse_copy(self._node, self._record, self._lease_s, self._clock, self._pause)
            self._record.register(self._node, "follower", self._position(), may_lead=self._may_lead)
            self._reported_s = self._clock()
            self._follow()
            self._promote_if_ready()

    @property
    def leads(self) -> bool:
        """Return whether this node is the leader now, which is a proof at this moment."""
        held = self._held
        return held is not None and self._store.writes and held.is_valid

    @property
    def leader(self) -> Leader | None:
        """Return this node if it leads, else the one that held the lease at the last look."""
        if self.leads:
            return Leader(self._node.id, self._node.address)
        look = self._look
        if look is None or not look.lease.node_id:
            return None
        return Leader(look.lease.node_id, look.lease.address)

    @property
    def leader_url(self) -> str | None:
        leader = self.leader
        return None if leader is None or leader.node_id == self._node.id else leader.address

    def is_alive(self, url: str) -> bool:
        look = self._look
        nodes = () if look is None else look.nodes
        return any(each.address == url and each.age_s < self._lease_s for each in nodes)

    def holders_of(self, library_id: str) -> Sequence[str]:
        look = self._look
        holders = [
            each
            for each in (() if look is None else look.nodes)
            if each.holds(library_id) and each.age_s < self._lease_s
            if each.node_id != self._node.id
        ]
        placed = [each.address for each in holders if each.capacity_bytes is not None]
        others = [each for each in holders if each.capacity_bytes is None]
        leader_url = self.leader_url
        others.sort(key=lambda each: each.address == leader_url)
        first = next(self._turns) % max(1, len(placed))
        return [*placed[first:], *placed[:first], *(each.address for each in others)]

    def status(self) -> ClusterStatus:
        look, held = self._look, self._held
        position = self._position()
        leader = self.leader
        epoch = 0 if look is None else look.lease.epoch
        role: Role = "follower"
        if held is not None and self.leads:  # the last look may be of the epoch before
            role, epoch = "leader", held.epoch
        nodes = () if look is None else look.nodes
        return ClusterStatus(
            self._node.id,
            role,
            epoch,
            leader,
            tuple(self._now(each, leader, position) for each in nodes),
            max(position, 0 if look is None else look.position),
            self._elections,
        )

    def _now(self, seen: Sighting, leader: Leader | None, position: int) -> Sighting:
        """Return a node with its role by the lease, and this one at its position now."""
        leads = leader is not None and leader.node_id == seen.node_id
        is_own = seen.node_id == self._node.id
        return replace(
            seen,
            role="leader" if leads else "follower",
            position=position if is_own else seen.position,
        )

    def tick(self) -> float:
        """Do what is due; return the seconds until the next time."""
        with self._turn:
            try:
                if self._held is None:
                    self._follow()
                else:
                    self._hold(self._held)
                self._promote_if_ready()
                self._failure = None
            except NalandaError as error:
                if self._failure != str(error):
                    _log.warning("The lease can't be read or renewed: %s", error)
                self._failure = str(error)
            held = self._held
            if held is not None and not held.is_valid:
                self._step_down("the lease could not be renewed in time")
            look = self._look
        is_waiting = look is not None and look.lease.successor is not None
        return HANDED_OVER_POLL_S if is_waiting else POLL_S

    def hand_over(self, to: str | None) -> HandOver:
        with self._turn:
            held = self._held
            if held is None or not self.leads:
                raise NotLeading("This node does not lead, so it can't hand over.")
            nodes = self._look_again().nodes
            successor = choose_successor(to, self._node.id, nodes, self._lease_s)
            _log.info("This node hands over to %s at epoch %d.", successor, held.epoch)
            try:
                self._store.step_down()
            finally:
                self._held = self._term = None
                self._offer = _Offer(held.epoch, successor, self._clock() + self._lease_s * OFFER)
                self._record.release(self._node, held.epoch, successor)
            self._look_again()
        self._thread.wake()
        return HandOver(successor, held.epoch)

    def leave(self) -> None:
        self._is_leaving = True
        try:
            self.hand_over(None)
        except NalandaError as reason:
            _log.info("No other node takes over before this one stops: %s", reason)
            return
        deadline_s = self._clock() + self._lease_s
        while self.leader is None and self._clock() < deadline_s:
            self._pause(HANDED_OVER_POLL_S)
        self._pause(2 * POLL_S)  # in which the other nodes see it, and pass writes on to it

    def close(self) -> None:
        """Stop, and release the lease, so that another node can lead at once."""
        self._thread.close(self._lease_s)
        held, self._held = self._held, None
        if held is not None and held.is_valid:
            self._store.step_down()
            with suppress(NalandaError):  # then it expires
                self._record.release(self._node, held.epoch, None)
        self._record.close()

    @property
    def _may_lead(self) -> bool:
        return self._policy != "follower" and self.problem is None and not self._is_leaving

    def _follow(self) -> None:
        """Look at the lease, and take it if that is possible and the index is at the record."""
        self._offer_again_if_due()
        look = self._look_again()
        self._report_if_due("follower")
        # An index beyond the record has writes that the record lost; it is read again first.
        if self._may_take(look.lease) and self._position() == look.position:
            sent_s = self._clock()
            self._term = self._record.take(self._node, look.lease, self._lease_s)
            if self._term is not None:
                self._held = HeldLease(self._term.epoch, self._lease_s, sent_s, self._clock)

    def _offer_again_if_due(self) -> None:
        """Take the lease back from a node that did not take it; when leaving, offer it to any."""
        offer = self._offer
        if offer is not None and self._clock() >= offer.until_s:
            to = None if self._is_leaving else self._node.id
            self._record.offer_again(offer.epoch, offer.successor, to)
            self._offer = None

    def _may_take(self, lease: Lease) -> bool:
        if not self._may_lead:
            return False
        if lease.node_id == self._node.id:  # an earlier process of this data directory
            return True
        if lease.node_id is None and lease.successor in {None, self._node.id}:
            return True
        return self._observation.has_lasted(lease.length_s)

    def _hold(self, held: HeldLease) -> None:
        """Renew the lease if that is due, and give it up if another process has it."""
        if self._clock() - held.sent_s < self._lease_s / BEATS:
            return
        sent_s = self._clock()
        position = max(self._position(), self._store.written)
        if not self._record.renew(self._node, held.epoch, self._lease_s):
            self._step_down("another process has taken the lease")
            return
        held.extend(sent_s)
        self._report_if_due("leader" if self.leads else "follower")
        if self._look_again().position < position:
            self._step_down("the database has lost writes, and the index is read again")

    def _promote_if_ready(self) -> None:
        """Let the store write once the index has all writes of the epochs before."""
        term = self._term
        if term is None or self._position() != term.position:
            return
        self._store.take_over(term)
        self._term = None
        _log.info("This node leads from position %d, in epoch %d.", term.position, term.epoch)
        self._look_again()

    def _step_down(self, reason: str) -> None:
        _log.warning("This node no longer leads: %s.", reason)
        self._held = self._term = None
        self._store.step_down(at_once=True)

    def _look_again(self) -> Look:
        before, look = self._look, self._record.look()
        self._look = look
        if look.problem is not None and self.problem is None:
            self.problem = f"This node may only follow. The database: {look.problem}"
            _log.error("%s", self.problem)
        self._elections += before is not None and look.lease.epoch > before.lease.epoch
        self._observation.note(look.lease)
        return look

    def _report_if_due(self, role: Role) -> None:
        if self._clock() - self._reported_s < self._lease_s / BEATS:
            return
        self._reported_s = self._clock()
        if not self._record.report(self._node, role, self._position(), may_lead=self._may_lead):
            self.problem = COPIED.format(self._node.id)
            raise StorageError(self.problem)

    def _wait_until_leading(self) -> None:
        """Wait until the lease of a node that has ended would have expired.

        Raises:
            StorageError: another node leads.
        """
        deadline_s = self._clock() + 2 * self._lease_s
        while not self.leads:
            if self._clock() > deadline_s:
                address = self.leader.address if self.leader else "an unknown address"
                raise StorageError(
                    f"Another node leads: that at {address}. Stop it, or start this one with the"
                    " role `auto` (NALANDA_ROLE), in which it follows."
                )
            self._pause(POLL_S)
