"""The lease and the nodes in PostgreSQL."""

import psycopg

from core.adapters.postgres.cluster import PostgresClusterRecord
from tests.integration.cluster.conftest import a_node

A, B = a_node("a"), a_node("b")


def test_a_new_database_has_a_released_lease_and_no_nodes(record: PostgresClusterRecord) -> None:
    look = record.look()
    assert look.lease.node_id is None
    assert look.nodes == ()


def test_a_lease_is_renewed_by_its_holder_alone(record: PostgresClusterRecord) -> None:
    epoch = record.claim(A, 5).epoch
    assert record.renew(A, epoch, 5)
    assert not record.renew(B, epoch, 5)
    assert not record.renew(a_node("a", "second"), epoch, 5)
    assert not record.renew(A, epoch + 1, 5)


def test_a_lease_of_an_older_epoch_is_not_renewed(
    record: PostgresClusterRecord, database_url: str
) -> None:
    epoch = record.claim(A, 5).epoch
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE cluster SET epoch = epoch + 1")
    assert not record.renew(A, epoch, 5)


def test_a_released_lease_has_no_holder(record: PostgresClusterRecord) -> None:
    epoch = record.claim(A, 5).epoch
    record.release(B, epoch)
    assert record.look().lease.node_id == "a"
    record.release(A, epoch)
    assert record.look().lease.node_id is None


def test_a_deleted_lease_has_an_unknown_holder(
    record: PostgresClusterRecord, database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM lease")
    assert record.look().lease.node_id == ""


def test_nodes_are_listed_with_what_they_last_said(record: PostgresClusterRecord) -> None:
    record.register(B, "follower", 3)
    record.register(A, "leader", 4)
    assert record.report(B, "follower", 5)
    nodes = record.look().nodes
    assert [(node.node_id, node.role, node.position) for node in nodes] == [
        ("a", "leader", 4),
        ("b", "follower", 5),
    ]
    assert nodes[1].last_seen_at >= nodes[0].last_seen_at


def test_a_later_process_of_a_node_replaces_the_one_before(record: PostgresClusterRecord) -> None:
    record.register(A, "leader", 1)
    later = a_node("a", "second")
    record.register(later, "leader", 2)
    assert not record.report(A, "leader", 3)
    assert record.report(later, "leader", 4)
    assert [node.position for node in record.look().nodes] == [4]


def test_nodes_of_long_ago_are_forgotten(record: PostgresClusterRecord, database_url: str) -> None:
    record.register(A, "leader", 1)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE nodes SET last_seen_at = now() - interval '2 hours'")
    record.register(B, "follower", 1)
    assert [node.node_id for node in record.look().nodes] == ["b"]
