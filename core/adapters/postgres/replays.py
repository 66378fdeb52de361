"""Answers kept under idempotency keys in PostgreSQL, for a day."""

import json
from collections.abc import Callable
from datetime import datetime

from core.adapters.postgres.rows import Connection, fetch
from core.adapters.rows import to_time
from core.domain.errors import Conflict
from core.ports.store import REPLAYS_KEPT, Replay

_GET = "SELECT fingerprint, status, headers, body FROM replays WHERE key = %s AND at > %s"
_PUT = """
INSERT INTO replays (key, fingerprint, status, headers, body, at, version)
VALUES (%s, %s, %s, %s, %b, %s, %s)
ON CONFLICT (key) DO NOTHING RETURNING key
"""
_EXPIRE = "DELETE FROM replays WHERE at <= %s"


class Replays:
    def __init__(self, connection: Connection, now: Callable[[], datetime]) -> None:
        self._connection = connection
        self._now = now

    def get(self, key: str) -> Replay | None:
        rows = fetch(self._connection, _GET, key, to_time(self._now() - REPLAYS_KEPT))
        if not rows:
            return None
        fingerprint, status, headers, body = rows[0]
        return Replay(fingerprint, status, json.loads(headers), body)


class WritableReplays(Replays):
    def __init__(self, connection: Connection, now: Callable[[], datetime], version: int) -> None:
        super().__init__(connection, now)
        self._version = version

    def put(self, key: str, replay: Replay) -> None:
        now = self._now()
        self._connection.execute(_EXPIRE, (to_time(now - REPLAYS_KEPT),))
        headers = json.dumps(replay.headers)
        answer = (replay.fingerprint, replay.status, headers, replay.body)
        if not fetch(self._connection, _PUT, key, *answer, to_time(now), self._version):
            raise Conflict(f"The idempotency key {key!r} is taken.")
