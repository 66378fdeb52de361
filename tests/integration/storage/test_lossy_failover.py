"""A failover of PostgreSQL that loses acknowledged writes, with the hash chain and without it."""

from contextlib import closing
from pathlib import Path

import pytest

from core.adapters.postgres import PostgresStore
from core.domain.log_hash import GENESIS
from core.indexing.views.catalog import Catalog
from core.replication.follower import Follower
from tests.samples import a_library
from tests.standby import cut_off, database_with_standby, fail_over, log_of
from tests.waiting import until


def put(store: PostgresStore, *ids: str) -> None:
    for id_ in ids:
        with store.write() as unit:
            unit.libraries.put(a_library(id_))
            unit.commit()


@pytest.fixture(params=[True, False], ids=["chain", "no chain"])
def chain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return whether the log's entries have hashes; without them all are those before any entry."""
    if not request.param:
        hashes = "core.adapters.postgres.writing.write_sets.next_hash"
        monkeypatch.setattr(hashes, lambda *_: GENESIS)
    return bool(request.param)


def test_a_follower_notices_by_the_chain_alone(chain: bool, tmp_path: Path) -> None:
    """The follower looks again once as many writes as were lost have followed the failover."""
    with (
        database_with_standby() as (server, standby, url),
        closing(PostgresStore(url, tmp_path / "follower", follows=True)) as store,
    ):
        with closing(PostgresStore(url, tmp_path / "before")) as leader:
            put(leader, "kept")
            until(lambda: log_of(standby, url) == [1])
            cut_off(standby, server)
            put(leader, "lost", "lost too")
        catalog = follow(store)
        assert set(catalog.state.views) == {"kept", "lost", "lost too"}
        fail_over(server, standby)
        with closing(PostgresStore(url, tmp_path / "after")) as leader:
            put(leader, "new", "new too")
        follower = look_again(store, catalog)
        assert catalog.position == 3
        with store.read() as snapshot:
            recorded = set(Catalog.load(snapshot).state.views)
        assert recorded == {"kept", "new", "new too"}
        assert follower.tail.replacements == (1 if chain else 0)
        assert (set(catalog.state.views) == recorded) is chain


def follow(store: PostgresStore) -> Catalog:
    with store.read() as snapshot:
        return Catalog.load(snapshot)


def look_again(store: PostgresStore, catalog: Catalog) -> Follower:
    """Follow until the record was looked at; its connections from before the failover are lost."""
    follower = Follower(store, catalog)
    before = follower.tail.current_at
    follower.start()
    until(lambda: follower.tail.current_at > before)
    follower.close()
    return follower
