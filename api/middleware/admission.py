"""Admission of writes: a limit on concurrent writes and on the queue behind them.

Reads keep the remaining threads. A write acquires its slot when its body is complete, so a slow
client occupies none.

A write has its place from the moment when all of its body is there, so that a slow client takes
none.
"""

from asyncio import Semaphore

from fastapi import status
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import path_of, problem

AT_ONCE = 32
"""Concurrent writes, on the process's 40 handler threads; a group commit holds as many."""

_TOO_MANY = "Too many writes are waiting. Retry after the seconds in Retry-After."
_RETRY_AFTER = {"Retry-After": "1"}
_POSTS_THAT_READ = {"search", "batch", "query", "cancel"}
"""Last path segments of the POST routes that only read."""


class WriteLimit:
    def __init__(self, app: ASGIApp, *, max_waiting: int, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._places = Semaphore(at_once)
        self._max_waiting = max_waiting
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_write(scope):
            await self._app(scope, receive, send)
            return
        place = _Place(self)
        try:
            if not _has_body(scope):
                await place.take()
            await self._app(scope, place.after_body(receive), send)
        except _Full:
            response = problem(
                status.HTTP_503_SERVICE_UNAVAILABLE,
                _TOO_MANY,
                instance=path_of(scope),
                headers=_RETRY_AFTER,
            )
            await response(scope, receive, send)
        finally:
            place.leave()

    async def take(self) -> None:
        """Acquire a slot, and wait in the queue while none is free.

        Raises:
            _Full: the queue is full.
        """
        if self._places.locked() and self._waiting >= self._max_waiting:
            raise _Full
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    def leave(self) -> None:
        self._places.release()


class _Full(HTTPException):
    """A full queue, as an HTTPException because the app reads the body, and so meets the error
    first.
    """

    def __init__(self) -> None:
        super().__init__(status.HTTP_503_SERVICE_UNAVAILABLE, _TOO_MANY, _RETRY_AFTER)


class _Place:
    """A request's slot, acquired at most once."""

    def __init__(self, limit: WriteLimit) -> None:
        self._limit = limit
        self._taken = False

    async def take(self) -> None:
        if not self._taken:
            await self._limit.take()
            self._taken = True

    def leave(self) -> None:
        if self._taken:
            self._limit.leave()

    def after_body(self, receive: Receive) -> Receive:
        async def receive_body() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                await self.take()
            return message

        return receive_body


def _is_write(scope: Scope) -> bool:
    if scope["method"] == "POST":
        return scope["path"].rpartition("/")[2] not in _POSTS_THAT_READ
    return scope["method"] in {"PUT", "PATCH", "DELETE"}


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )
