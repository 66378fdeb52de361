"""Reads after the database has gone silently: its connections are open, and nothing comes."""

from contextlib import closing
from pathlib import Path
from threading import Event, Thread

from core.adapters.postgres import PostgresStore
from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.readers import Readers
from core.adapters.postgres.connections.time_limit import cut
from tests.relay import Relay
from tests.waiting import until


def test_a_lost_connection_lets_no_read_wait_for_the_silent_others(
    postgres_url: str, tmp_path: Path
) -> None:
    PostgresStore(postgres_url, tmp_path).close()
    with Relay(postgres_url) as relay, closing(Readers(Database(relay.url))) as readers:
        with readers.connection(), readers.connection(), readers.connection() as lost:
            pass  # the last one is given back first, and used first
        relay.silence()
        cut(lost)  # as TCP does after its time limit
        ended = Event()

        def read() -> None:
            # As many as there were connections, so that each of those would be used.
            for _ in range(3):
                with readers.transaction():
                    pass
            ended.set()

        Thread(target=read, daemon=True).start()
        until(ended.is_set)
