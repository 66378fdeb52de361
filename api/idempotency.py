"""`Idempotency-Key`: a POST that is sent again is answered as the first time.

The answer is kept in the write's own transaction, so there is no moment at which one is there
without the other. A call that failed wrote nothing and keeps nothing: it may be tried again
under the same key.
"""

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request, Response

from api.json import json_body
from core.bootstrap import Core
from core.domain.errors import Conflict, Invalid
from core.ports.store import Replay, UnitOfWork
from core.services.positioned import BeforeCommit, Positioned

REPLAYED = "Idempotent-Replayed"

T = TypeVar("T")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="The same call under the same key is carried out once, within a day.",
    ),
]


def fingerprint(request: Request, body: bytes) -> str:
    """What makes two calls the same: method, path and body, to the byte."""
    call = f"{request.method} {request.url.path}\n".encode()
    return hashlib.sha256(call + body).hexdigest()


class Once:
    """A creating call with its body, which may carry a key."""

    def __init__(self, core: Core, key: str | None, request: Request, body: bytes) -> None:
        self.core, self.body = core, body
        self._key = key
        self._request = request

    @classmethod
    async def of(cls, request: Request, key: IdempotencyKey = None) -> "Once":
        """Once the body has come."""
        core: Core = request.app.state.core
        return cls(core, key, request, await json_body(request))

    @cached_property
    def _mark(self) -> str:
        """Taken by the thread that answers, and with a key alone: a body may have megabytes."""
        return fingerprint(self._request, self.body)

    @property
    def name(self) -> str | None:
        """The same for the same call under the same key; none without a key."""
        return f"{self._key} {self._mark}" if self._key else None

    def answer(
        self,
        write: Callable[[BeforeCommit[T] | None], Positioned[T]],
        render: Callable[[Positioned[T]], Response],
    ) -> Response:
        """Write and render, or give the answer that there is already.

        Raises:
            Invalid: the key was another call's.
        """
        if self._key is None:
            return render(write(None))
        key = self._key
        if answered := self._answered(key):
            return answered

        def keep(work: UnitOfWork, value: T) -> None:
            work.replays.put(key, self._replay(render(Positioned(value, work.position))))

        try:
            return render(write(keep))
        except Conflict:
            if answered := self._answered(key):  # by the same call, at the same time
                return answered
            raise

    def _answered(self, key: str) -> Response | None:
        with self.core.store.read() as snapshot:
            replay = snapshot.replays.get(key)
        if replay is None:
            return None
        if replay.fingerprint != self._mark:
            raise Invalid.at("/Idempotency-Key", "This key was used for another call.")
        return Response(replay.body, replay.status, {**replay.headers, REPLAYED: "true"})

    def _replay(self, response: Response) -> Replay:
        headers = dict(response.headers)
        del headers["content-length"]
        return Replay(self._mark, response.status_code, headers, bytes(response.body))


OnceOf = Annotated[Once, Depends(Once.of)]
