"""The lease and the nodes in PostgreSQL."""

import psycopg

from core.adapters.postgres.cluster import PostgresClusterRecord
from tests.integration.cluster.conftest import a_node, epoch_of

A, B = a_node("a"), a_node("b")


def test_a_new_database_has_a_released_lease_and_no_nodes(record: PostgresClusterRecord) -> None:
    look = record.look()
    assert look.lease.node_id is None
    assert look.nodes == ()


def test_a_lease_is_renewed_by_its_holder_alone(record: PostgresClusterRecord) -> None:
    epoch = epoch_of(record, A)
    assert record.renew(A, epoch, 5)
    assert not record.renew(B, epoch, 5)
    assert not record.renew(a_node("a", "second"), epoch, 5)
    assert not record.renew(A, epoch + 1, 5)


def test_a_lease_of_an_older_epoch_is_not_renewed(
    record: PostgresClusterRecord, database_url: str
) -> None:
    epoch = epoch_of(record, A)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE cluster SET epoch = epoch + 1")
    assert not record.renew(A, epoch, 5)


def test_a_released_lease_has_no_holder(record: PostgresClusterRecord) -> None:
    epoch = epoch_of(record, A)
    record.release(B, epoch, None)
    assert record.look().lease.node_id == "a"
    record.release(A, epoch, None)
    assert record.look().lease.node_id is None


def test_a_deleted_lease_has_an_unknown_holder(
    record: PostgresClusterRecord, database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM lease")
    assert record.look().lease.node_id == ""


def test_nodes_are_listed_with_what_they_last_said(record: PostgresClusterRecord) -> None:
    record.register(B, "follower", 3, may_lead=True)
    record.register(A, "leader", 4, may_lead=True)
    assert record.report(B, "follower", 5, may_lead=True)
    nodes = record.look().nodes
    assert [(node.node_id, node.role, node.position) for node in nodes] == [
        ("a", "leader", 4),
        ("b", "follower", 5),
    ]
    assert nodes[1].last_seen_at >= nodes[0].last_seen_at


def test_a_later_process_of_a_node_replaces_the_one_before(record: PostgresClusterRecord) -> None:
    record.register(A, "leader", 1, may_lead=True)
    later = a_node("a", "second")
    record.register(later, "leader", 2, may_lead=True)
    assert not record.report(A, "leader", 3, may_lead=True)
    assert record.report(later, "leader", 4, may_lead=True)
    assert [node.position for node in record.look().nodes] == [4]


def test_nodes_of_long_ago_are_forgotten(record: PostgresClusterRecord, database_url: str) -> None:
    record.register(A, "leader", 1, may_lead=True)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE nodes SET last_seen_at = now() - interval '2 hours'")
    record.register(B, "follower", 1, may_lead=True)
    assert [node.node_id for node in record.look().nodes] == ["b"]


def test_a_held_lease_is_not_taken_before_it_expires(record: PostgresClusterRecord) -> None:
    epoch = epoch_of(record, A)
    assert record.take(B, record.look().lease, 5) is None
    assert record.look().lease.epoch == epoch


def test_an_expired_lease_is_taken_only_as_it_was_seen(
    record: PostgresClusterRecord, database_url: str
) -> None:
    epoch = epoch_of(record, A)
    seen = record.look().lease
    assert record.renew(A, epoch, 5)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE lease SET expires_at = now()")
    assert record.take(B, seen, 5) is None
    term = record.take(B, record.look().lease, 5)
    assert term is not None
    assert term.epoch == epoch + 1


def test_a_lease_beyond_its_own_length_has_expired(
    record: PostgresClusterRecord, database_url: str
) -> None:
    epoch_of(record, A)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE lease SET expires_at = now() + interval '1 hour'")
    assert record.take(B, record.look().lease, 5) is not None


def test_a_lease_that_is_handed_over_is_for_the_successor_alone(
    record: PostgresClusterRecord,
) -> None:
    record.release(A, epoch_of(record, A), "b")
    lease = record.look().lease
    assert lease.successor == "b"
    assert record.take(a_node("c"), lease, 5) is None
    assert record.take(B, lease, 5) is not None


def test_a_taken_lease_has_the_fence_of_its_epoch(
    record: PostgresClusterRecord, database_url: str
) -> None:
    term = record.take(A, record.look().lease, 5)
    assert term is not None
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT epoch, position, keeps_history FROM cluster").fetchone()
    assert row == (term.epoch, term.position, term.keeps_history)
