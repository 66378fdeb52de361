"""The election of the node that writes, on a real PostgreSQL."""

from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from core.adapters.postgres.cluster import PostgresClusterRecord
from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.migrate import MIGRATIONS
from core.cluster.status import HandOver
from core.domain.errors import (
    Conflict,
    Invalid,
    NalandaError,
    NotLeading,
    StorageError,
    Unavailable,
)
from tests.integration.cluster.conftest import a_node
from tests.integration.cluster.nodes import (
    ELECTED_S,
    LEASE_S,
    ClusterNode,
    cluster,
    until_leads,
)
from tests.relay import Relay
from tests.waiting import until


def test_the_first_node_leads_at_once_and_the_second_one_follows(
    postgres_url: str, tmp_path: Path
) -> None:
    with cluster((postgres_url, tmp_path / "a"), (postgres_url, tmp_path / "b")) as (a, b):
        assert a.member.leads
        assert not b.member.leads
        position = a.write("one")
        until(lambda: b.catalog.position >= position)
        assert b.member.leader is not None
        assert b.member.leader.address == "http://a:8000"
        with pytest.raises(Unavailable):
            b.write("two")


def test_a_node_that_stops_is_followed_by_another_leader(postgres_url: str, tmp_path: Path) -> None:
    with cluster((postgres_url, tmp_path / "b")) as (b,):
        until_leads(b)
        with cluster((postgres_url, tmp_path / "a")) as (a,):
            position = b.write_when_leading("one")
            epoch = b.member.status().epoch
            b.close()
            until_leads(a)
            assert a.has("one")
            assert a.write_when_leading("two") > position
            until(lambda: a.member.status().epoch > epoch)  # it shows the last look


def test_a_node_that_restarts_leads_at_once(postgres_url: str, tmp_path: Path) -> None:
    for _ in range(2):
        with cluster((postgres_url, tmp_path / "a")) as (a,):
            assert a.member.leads


def test_a_leader_that_is_cut_off_stops_before_another_leads(
    postgres_url: str, tmp_path: Path
) -> None:
    with (
        Relay(postgres_url) as relay,
        cluster((relay.url, tmp_path / "a"), (postgres_url, tmp_path / "b")) as (a, b),
    ):
        a.write("one")
        relay.cut()

        def b_leads() -> bool:
            leads = b.member.leads
            assert not (leads and a.member.leads)
            return leads

        until(b_leads, ELECTED_S)
        b.write_when_leading("two")
        relay.restore()
        until(lambda: a.has("two"), ELECTED_S)
        with pytest.raises(NalandaError):
            a.write("three")


def test_a_session_that_holds_the_fence_is_ended(postgres_url: str, tmp_path: Path) -> None:
    with cluster((postgres_url, tmp_path / "a")) as (a,):
        a.write("one")
    with psycopg.connect(postgres_url) as stuck:
        stuck.execute("SELECT FROM cluster FOR UPDATE")
        with cluster((postgres_url, tmp_path / "b")) as (b,):
            until_leads(b)
            b.write_when_leading("two")
        with pytest.raises(psycopg.OperationalError):
            stuck.execute("SELECT 1")


EDITS = {
    "another holder": "UPDATE lease SET node_id = 'intruder', incarnation = 'x'",
    "no row": "DELETE FROM lease",
    "an expiry that never comes": "UPDATE lease SET node_id = 'x', expires_at = 'infinity'",
    "a later epoch": "UPDATE lease SET epoch = epoch + 7",
    "an earlier epoch": "UPDATE lease SET epoch = 0",
    "another process takes over": "UPDATE cluster SET epoch = epoch + 1",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_lease_edited_by_hand_leads_to_a_new_epoch(
    edit: str, postgres_url: str, tmp_path: Path
) -> None:
    with cluster((postgres_url, tmp_path / "a")) as (a,):
        before = a.member.status().epoch
        with psycopg.connect(postgres_url) as connection:
            connection.execute(edit.encode())
        until(lambda: a.member.leads and a.member.status().epoch > before, ELECTED_S)
        a.write_when_leading("one")


def test_a_record_that_went_back_is_read_again(postgres_url: str, tmp_path: Path) -> None:
    with cluster((postgres_url, tmp_path / "a")) as (a,):
        a.write("one")
        a.write_when_leading("two")
        with psycopg.connect(postgres_url) as connection:
            connection.execute("DELETE FROM libraries WHERE id = 'two'")
            connection.execute("DELETE FROM log WHERE position > 1")
            connection.execute("UPDATE cluster SET position = 1")
        until(lambda: not a.has("two"), ELECTED_S)
        assert a.write_when_leading("three") > 1


def test_a_node_that_may_only_follow_never_leads(postgres_url: str, tmp_path: Path) -> None:
    node = ClusterNode(postgres_url, tmp_path / "a", policy="follower")
    try:
        assert not node.member.leads
        assert node.member.leader is None
        with pytest.raises(Unavailable):
            node.write("one")
    finally:
        node.close()


def test_a_node_that_has_to_lead_ends_where_another_one_leads(
    postgres_url: str, tmp_path: Path
) -> None:
    with cluster((postgres_url, tmp_path / "a")) as (a,):
        with pytest.raises(StorageError, match=r"Another node leads: that at http://a:8000"):
            ClusterNode(postgres_url, tmp_path / "b", policy="leader")
        until_leads(a)
    ClusterNode(postgres_url, tmp_path / "b", policy="leader").close()


def test_a_hand_over_makes_the_other_node_lead(postgres_url: str, tmp_path: Path) -> None:
    with cluster((postgres_url, tmp_path / "a"), (postgres_url, tmp_path / "b")) as (a, b):
        until_leads(a)
        a.write_when_leading("one")
        until(lambda: len(a.member.status().nodes) == 2, ELECTED_S)
        assert a.member.hand_over(None).to == b.id
        until_leads(b)
        assert b.has("one")
        until(lambda: a.member.leader is not None and a.member.leader.node_id == b.id)
        roles = {each.node_id: each.role for each in a.member.status().nodes}
        assert roles == {a.id: "follower", b.id: "leader"}


def test_a_hand_over_that_is_not_taken_comes_back(postgres_url: str, tmp_path: Path) -> None:
    with cluster((postgres_url, tmp_path / "a")) as (a,):
        until_leads(a)
        epoch = a.member.status().epoch
        gone = a_node("gone")
        with closing(PostgresClusterRecord(Database(postgres_url), LEASE_S)) as record:
            record.register(gone, "follower", 0, may_lead=True)
        assert a.member.hand_over(gone.id) == HandOver(gone.id, epoch)
        with pytest.raises(NotLeading):
            a.write("one")
        a.write_when_leading("one")
        until(lambda: a.member.status().epoch > epoch, ELECTED_S)


def test_a_hand_over_to_a_node_that_can_t_lead_is_refused(
    postgres_url: str, tmp_path: Path
) -> None:
    with cluster((postgres_url, tmp_path / "a")) as (a,):
        with pytest.raises(Conflict, match="No other node"):
            a.member.hand_over(None)
        with pytest.raises(Conflict, match="leads already"):
            a.member.hand_over(a.id)
        with pytest.raises(Invalid, match="/to: There is no node 'unknown'"):
            a.member.hand_over("unknown")
        follower = ClusterNode(postgres_url, tmp_path / "b", policy="follower")
        try:
            until(lambda: len(a.member.status().nodes) == 2, ELECTED_S)
            with pytest.raises(Conflict, match="may only follow"):
                a.member.hand_over(follower.id)
            with pytest.raises(NotLeading):
                follower.member.hand_over(None)
        finally:
            follower.close()


def test_a_leader_that_leaves_waits_until_another_node_leads(
    postgres_url: str, tmp_path: Path
) -> None:
    with cluster((postgres_url, tmp_path / "a"), (postgres_url, tmp_path / "b")) as (a, b):
        until_leads(a)
        until(lambda: len(a.member.status().nodes) == 2, ELECTED_S)
        a.member.leave()
        assert a.member.leader is not None
        assert a.member.leader.node_id == b.id
        until_leads(b)
        until(lambda: not any(e.may_lead for e in b.member.status().nodes if e.node_id == a.id))
        with pytest.raises(Conflict, match="No other node"):
            b.member.hand_over(None)


def test_a_leader_that_leaves_alone_leads_to_its_end(postgres_url: str, tmp_path: Path) -> None:
    with cluster((postgres_url, tmp_path / "a")) as (a,):
        until_leads(a)
        a.member.leave()
        a.write_when_leading("one")


def test_a_copy_of_a_data_directory_is_refused(postgres_url: str, tmp_path: Path) -> None:
    with cluster((postgres_url, tmp_path / "a")) as (a,):
        copy = tmp_path / "copy"
        copy.mkdir()
        (copy / "node").write_text(a.id)
        with pytest.raises(StorageError, match=r"http://a:8000"):
            ClusterNode(postgres_url, copy)
        until_leads(a)


def test_the_older_of_two_nodes_with_one_id_and_address_gives_up(
    postgres_url: str, tmp_path: Path
) -> None:
    with cluster((postgres_url, tmp_path / "a")) as (a,):
        copy = tmp_path / "copy"
        copy.mkdir()
        (copy / "node").write_text(a.id)
        other = ClusterNode(postgres_url, copy, address=a.node.address)
        try:
            until_leads(other)
            until(lambda: a.member.problem is not None, ELECTED_S)
            assert not a.member.leads
        finally:
            other.close()


def test_a_node_of_an_older_version_leads_no_more(postgres_url: str, tmp_path: Path) -> None:
    """A newer node has set up its tables, while the older ones run."""
    with cluster((postgres_url, tmp_path / "a"), (postgres_url, tmp_path / "b")) as (a, b):
        a.write_when_leading("one")
        with psycopg.connect(postgres_url) as connection:
            number = len(MIGRATIONS) + 1
            connection.execute("INSERT INTO nalanda_format (number) VALUES (%s)", (number,))
        until(lambda: b.member.problem is not None, ELECTED_S)
        assert "A newer Nalanda" in str(b.member.problem)
        a.close()
        until(lambda: b.member.leader is None, ELECTED_S)
        assert not b.member.leads
        with pytest.raises(NotLeading):
            b.write("two")
        with pytest.raises(StorageError, match="A newer Nalanda has written it"):
            ClusterNode(postgres_url, tmp_path / "c")
