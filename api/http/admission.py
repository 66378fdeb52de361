"""Admission of writes: a limit on concurrent writes and on the queue behind them.

Reads keep the remaining threads. A write acquires its slot when its body is complete, so a slow
client occupies none.
"""

from asyncio import Semaphore

from fastapi import status
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

AT_ONCE = 32
"""Concurrent writes, on the process's 40 handler threads; a group commit holds as many."""

_TOO_MANY = "Too many writes are waiting. Retry after the seconds in Retry-After."


class WriteLimit:
    """The slots of an app's writes, and the queue of those that wait for one."""

    def __init__(self, *, max_waiting: int, at_once: int = AT_ONCE) -> None:
        self._slots = Semaphore(at_once)
        self._max_waiting = max_waiting
        self.waiting = 0

    async def run(self, write: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run a write in a slot.

        Raises:
            HTTPException: 503, the queue is full.
        """
        slot = _Slot(self)
        try:
            if not _has_body(scope):
                await slot.acquire()
            await write(scope, slot.after_body(receive), send)
        finally:
            slot.release()

    async def acquire(self) -> None:
        """Acquire a slot, and wait in the queue while none is free.

        Raises:
            HTTPException: 503, the queue is full.
        """
        if self._slots.locked() and self.waiting >= self._max_waiting:
            raise HTTPException(
                status.HTTP_503_SERVICE_UNAVAILABLE, _TOO_MANY, {"Retry-After": "1"}
            )
        self.waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self.waiting -= 1

    def release(self) -> None:
        self._slots.release()


class _Slot:
    """A request's slot, acquired at most once."""

    def __init__(self, limit: WriteLimit) -> None:
        self._limit = limit
        self._acquired = False

    async def acquire(self) -> None:
        if not self._acquired:
            await self._limit.acquire()
            self._acquired = True

    def release(self) -> None:
        if self._acquired:
            self._limit.release()

    def after_body(self, receive: Receive) -> Receive:
        async def receive_body() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                await self.acquire()
            return message

        return receive_body


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )
