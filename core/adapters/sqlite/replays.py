"""Answers kept under idempotency keys in SQLite, for a day."""

import json
from collections.abc import Callable
from datetime import datetime

import apsw

from core.adapters.rows import to_time
from core.adapters.sqlite.rows import fetch
from core.domain.errors import Conflict
from core.ports.store import REPLAYS_KEPT, Replay

_GET = "SELECT fingerprint, status, headers, body FROM replays WHERE key = ? AND at > ?"
_PUT = """
INSERT INTO replays (key, fingerprint, status, headers, body, at, version)
VALUES (?, ?, ?, ?, ?, ?, (SELECT position FROM cluster))
"""
_EXPIRE = "DELETE FROM replays WHERE at <= ?"


class Replays:
    def __init__(self, connection: apsw.Connection, now: Callable[[], datetime]) -> None:
        self._connection = connection
        self._now = now

    def get(self, key: str) -> Replay | None:
        rows = fetch(self._connection, _GET, key, to_time(self._now() - REPLAYS_KEPT))
        if not rows:
            return None
        fingerprint, status, headers, body = rows[0]
        return Replay(fingerprint, status, json.loads(headers), body)


class WritableReplays(Replays):
    def put(self, key: str, replay: Replay) -> None:
        now = self._now()
        self._connection.execute(_EXPIRE, (to_time(now - REPLAYS_KEPT),))
        headers = json.dumps(replay.headers)
        row = (key, replay.fingerprint, replay.status, headers, replay.body, to_time(now))
        try:
            self._connection.execute(_PUT, row)
        except apsw.ConstraintError as error:
            raise Conflict(f"The idempotency key {key!r} is taken.") from error
