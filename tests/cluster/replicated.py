"""A PostgreSQL with a synchronous standby, which takes over when the primary is killed."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.postgres import PostgresServer
from tests.standby import configure, primary, standby_of
from tests.waiting import until


class ReplicatedDatabase:
    """A database whose URL leads to the server that is the primary."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._primary = stack.enter_context(primary())
        # Set before the standby is copied, so that the standby has it when it is promoted.
        configure(self._primary, synchronous_standby_names="*")
        self._standby = stack.enter_context(standby_of(self._primary))
        servers = f"{self._primary.directory},{self._standby.directory}"
        with self._primary.connect() as connection:
            connection.execute("CREATE DATABASE nalanda")
        own = PostgresServer(self._primary.directory).url("nalanda")
        leading = "target_session_attrs=read-write"
        self.url = f"{own.replace(str(self._primary.directory), servers)}&{leading}"

    def fail_over(self) -> None:
        """Kill the primary with SIGKILL, promote the standby, and give it a standby of its own.

        Until that one streams, no commit is acknowledged.
        """
        postmaster = int((self._primary.directory / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        until(lambda: not _runs(postmaster))
        with self._standby.connect() as connection:
            connection.execute("SELECT pg_promote()")
        self._primary = self._standby
        self._standby = self._stack.enter_context(standby_of(self._primary))


@contextmanager
def replicated_database() -> Iterator[ReplicatedDatabase]:
    with ExitStack() as stack:
        yield ReplicatedDatabase(stack)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
