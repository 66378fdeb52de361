"""Nodes whose database's name leads to another database, as after a mistake in DNS."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from core.domain.errors import NalandaError
from tests.integration.cluster.nodes import ELECTED_S, cluster, until_leads
from tests.postgres import PostgresServer
from tests.waiting import until


@pytest.fixture
def urls(postgres: PostgresServer) -> Iterator[tuple[str, str]]:
    with postgres.database() as one, postgres.database() as other:
        yield one, other


def swap(postgres: PostgresServer, one_url: str, other_url: str) -> None:
    """Exchange the names of two databases, and end their sessions."""
    one, other = (str(conninfo_to_dict(url)["dbname"]) for url in (one_url, other_url))
    spare = f"{one}_spare"
    with postgres.connect() as connection:
        for name in (one, other):
            _allow_connections(postgres, name, "false")
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s",
                (name,),
            )
        for before, after in ((one, spare), (other, one), (spare, other)):
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            connection.execute(rename.format(sql.Identifier(before), sql.Identifier(after)))
        for name in (one, other):
            _allow_connections(postgres, name, "true")


def _allow_connections(postgres: PostgresServer, name: str, allowed: str) -> None:
    statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with postgres.connect() as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.SQL(allowed)))


def test_nodes_serve_and_write_no_other_database_of_that_name(
    urls: tuple[str, str],
    postgres: PostgresServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    own, other = urls
    with cluster((other, tmp_path / "stranger")) as (stranger,):
        stranger.write_when_leading("strange")
    with cluster((own, tmp_path / "a"), (own, tmp_path / "b")) as (a, b):
        a.write_when_leading("mine")
        until(lambda: b.has("mine"), ELECTED_S)
        swap(postgres, own, other)
        until(lambda: "leads to another database now" in caplog.text, ELECTED_S)
        until(lambda: not a.member.leads and not b.member.leads, ELECTED_S)
        with pytest.raises(NalandaError):
            a.write("lost")
        assert (a.has("mine"), b.has("mine")) == (True, True)
        assert not (a.has("strange"))
        assert not (b.has("strange"))

        swap(postgres, own, other)
        until(lambda: a.member.leads or b.member.leads, ELECTED_S)
        leader = a if a.member.leads else b
        leader.write_when_leading("mine too")
        until(lambda: a.has("mine too") and b.has("mine too"), ELECTED_S)
    with cluster((other, tmp_path / "stranger")) as (stranger,):
        until_leads(stranger)
        assert set(stranger.catalog.state.views) == {"strange"}
