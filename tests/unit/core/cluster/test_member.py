"""A member of a cluster between two looks at the record, and with an index beyond it."""

from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from core.cluster.member import Member
from core.cluster.status import Leader
from core.domain.errors import Unavailable
from core.ports.cluster import ClusterRecord, Lease, Look, Node, Role, Term
from core.ports.store import FollowingStore

LEASE_S = 3.0
NODE = Node("a", "first", "http://a:8000", "1.0")
RELEASED = Lease(1, None, None, "http://b:8000", 0, LEASE_S, None)


@dataclass
class OneNodeRecord:
    """A record at a position, whose lease one node takes; it `answers` looks or not."""

    position: int
    lease: Lease = RELEASED
    answers: bool = True
    answers_after_take: bool = True
    position_after_take: int | None = None
    terms: list[Term] = field(default_factory=list)

    def look(self) -> Look:
        if not self.answers:
            raise Unavailable("The database does not answer.")
        return Look(self.lease, self.position, ())

    def take(self, node: Node, seen: Lease, length_s: float) -> Term:
        self.lease = replace(
            seen, epoch=seen.epoch + 1, node_id=node.id, address=node.address, length_s=length_s
        )
        self.answers = self.answers_after_take
        if self.position_after_take is not None:
            self.position = self.position_after_take
        self.terms.append(Term(self.lease.epoch, self.position, False))
        return self.terms[-1]

    def report(self, node: Node, role: Role, position: int, *, may_lead: bool) -> bool:
        return True


@dataclass
class BusyRecord(OneNodeRecord):
    """A record of a database that does not answer the first `refused` looks."""

    refused: int = 0

    def look(self) -> Look:
        self.refused -= 1
        if self.refused >= 0:
            raise Unavailable("The database is busy.")
        return super().look()

    def register(self, node: Node, role: Role, position: int, *, may_lead: bool) -> None:
        """Add the node, which this record does not list."""

    def release(self, node: Node, epoch: int, successor: str | None) -> None:
        """Free the lease."""

    def close(self) -> None:
        """End the connection."""


@dataclass
class OneStore:
    """A store that writes once it has taken over."""

    writes: bool = False

    def take_over(self, term: Term) -> None:
        self.writes = True

    def step_down(self) -> None:
        self.writes = False


@dataclass
class Index:
    position: int


@dataclass
class Clock:
    """A clock that a pause moves, and nothing else."""

    now_s: float = 0.0

    def pause(self, seconds: float) -> None:
        self.now_s += seconds


def a_member(record: OneNodeRecord, index: Index) -> Member:
    """Return a member that acts only at its `start` and at a `tick`."""
    clock = Clock()
    return Member(
        NODE,
        cast("ClusterRecord", record),
        cast("FollowingStore", OneStore()),
        lambda: index.position,
        lease_s=LEASE_S,
        clock=lambda: clock.now_s,
        pause=clock.pause,
    )


@pytest.mark.parametrize("answers", [True, False], ids=["looked again", "no look since"])
def test_a_new_leader_shows_its_own_epoch_and_address_at_once(answers: bool) -> None:
    member = a_member(OneNodeRecord(3, answers_after_take=answers), Index(3))
    member.tick()
    status = member.status()
    assert (status.role, status.epoch) == ("leader", 2)
    assert status.leader == Leader("a", "http://a:8000")


def test_an_index_beyond_the_record_leads_once_it_is_read_again() -> None:
    """The record lost writes that the index has; a leader's would get their positions."""
    record, index = OneNodeRecord(3), Index(5)
    member = a_member(record, index)
    member.tick()
    assert record.terms == []
    index.position = 3
    member.tick()
    assert member.leads


def test_a_node_whose_record_goes_back_as_it_takes_the_lease_waits() -> None:
    record, index = OneNodeRecord(5, position_after_take=3), Index(5)
    member = a_member(record, index)
    member.tick()
    assert not member.leads
    index.position = 3
    member.tick()
    assert member.leads


def test_a_start_waits_for_a_busy_database() -> None:
    member = a_member(BusyRecord(3, refused=4), Index(3))
    member.start()
    assert member.leads
    member.close()


def test_a_start_ends_when_the_database_never_answers() -> None:
    member = a_member(BusyRecord(3, refused=10_000), Index(3))
    with pytest.raises(Unavailable, match="busy"):
        member.start()
