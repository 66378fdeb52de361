"""Hints that another process has committed, by PostgreSQL's LISTEN and NOTIFY."""

import logging
from collections.abc import Callable

import psycopg

from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.rows import Connection
from core.adapters.postgres.connections.time_limit import cut
from core.background_thread import BackgroundThread

CHANNEL = "nalanda"
"""The channel to which each commit of a writer sends a notification."""

_SILENCE_S = 1.0
"""The longest wait for a notification before the thread looks whether it should end."""

_REST_S = 0.002
"""The shortest time between two hints: the commits in between are one step for a follower."""

_RETRY_S = 1.0
_CLOSE_S = 2.0

_log = logging.getLogger(__name__)


class CommitHints:
    """The thread that calls `wake` after commits of other processes.

    Some commits have no hint: those while no connection is open, and those of an older version.
    Nothing listens while `is_idle` returns `True`.
    """

    def __init__(
        self, database: Database, wake: Callable[[], None], is_idle: Callable[[], bool]
    ) -> None:
        self._database = database
        self._wake = wake
        self._is_idle = is_idle
        self._connection: Connection | None = None
        self._thread = BackgroundThread(
            "hints", self._try_to_listen, failure="No commits are listened to.", retry_s=_RETRY_S
        )

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the thread; one that waits for a database out of reach is left to end by itself."""
        connection = self._connection
        if connection is not None:
            cut(connection)  # the thread may wait for it
        if self._thread.close(_CLOSE_S):
            self._disconnect()

    def _try_to_listen(self) -> float:
        """Wait for a notification; return the seconds until the next wait."""
        try:
            return self._listen()
        except psycopg.Error as error:
            self._disconnect()
            _log.debug("No commits are listened to; it will be tried again: %s", error)
            return _RETRY_S

    def _listen(self) -> float:
        if self._is_idle():
            self._disconnect()
            return _SILENCE_S
        if self._connection is None:
            self._connection = self._database.connect_to_listen(CHANNEL)
        for _ in self._connection.notifies(timeout=_SILENCE_S, stop_after=1):
            self._wake()
        return _REST_S

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
