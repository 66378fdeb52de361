"""Responses stored under idempotency keys, for a day."""

import json

from core.adapters.clock import Clock
from core.adapters.sql.rows import to_time
from core.adapters.sql.session import ReadSession, Session
from core.domain.errors import Conflict
from core.ports.store import REPLAY_RETENTION, Replay

_GET = "SELECT fingerprint, status, headers, body FROM replays WHERE key = ? AND at > ?"
_PUT = """
INSERT INTO replays (key, fingerprint, status, headers, body, at, version)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO NOTHING RETURNING key
"""
_EXPIRE = "DELETE FROM replays WHERE at <= ?"


class Replays:
    def __init__(self, session: ReadSession, now: Clock) -> None:
        self._session = session
        self._now = now

    def get(self, key: str) -> Replay | None:
        rows = self._session.fetch(_GET, key, to_time(self._now() - REPLAY_RETENTION))
        if not rows:
            return None
        fingerprint, status, headers, body = rows[0]
        return Replay(fingerprint, status, json.loads(headers), body)


class WritableReplays(Replays):
    _session: Session

    def __init__(self, session: Session, now: Clock, version: int) -> None:
        super().__init__(session, now)
        self._version = version

    def put(self, key: str, replay: Replay) -> None:
        now = self._now()
        self._session.execute(_EXPIRE, to_time(now - REPLAY_RETENTION))
        headers = json.dumps(replay.headers)
        answer = (replay.fingerprint, replay.status, headers, replay.body)
        if not self._session.fetch_changed(_PUT, key, *answer, to_time(now), self._version):
            raise Conflict(f"The idempotency key {key!r} is taken.")
