"""Connections of one listening socket, dealt to several processes in turn.

Processes that accept from a shared socket leave nearly all connections to one of them: the first to
wake accepts whatever waits.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeAlias

Accept: TypeAlias = Callable[[socket.socket], None]
"""Serves an accepted connection."""

AT_ONCE = 64
"""Connections that are accepted or received before other work of the loop."""

WITHDRAWAL_S = 5.0
"""The longest wait for a loop that is busy or has ended."""

_READY = b"r"
_CONNECTION = b"c"


class Source(Protocol):
    """A source of accepted connections, on the event loop that starts it."""

    def start(self, accept: Accept, end: Callable[[], None]) -> None:
        """Begin: `accept` each connection, and call `end` if no more will come."""
        ...

    def stop(self) -> None: ...


class Dealer:
    """The source of the process that listens, which deals connections to itself and to others."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        # Guarded by `_lock`.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._offered: list[socket.socket] = []
        # Of the loop.
        self._channels: list[socket.socket] = []
        self._next = 0
        self._accept: Accept = _close

    def offer(self, channel: socket.socket) -> None:
        """Deal to the process at the other end of `channel` once it is ready; from any thread."""
        channel.setblocking(False)
        with self._lock:
            if self._loop is None:
                self._offered.append(channel)
            else:
                self._loop.call_soon_threadsafe(self._watch, channel)

    def withdraw(self) -> None:
        """Deal to this process alone from now on; returns once that is so; not from the loop."""
        with self._lock:
            loop = self._loop
        if loop is None:
            return
        withdrawal = threading.Event()

        def close() -> None:
            self._close_channels()
            withdrawal.set()

        loop.call_soon_threadsafe(close)
        withdrawal.wait(WITHDRAWAL_S)

    def start(self, accept: Accept, end: Callable[[], None]) -> None:  # noqa: ARG002  # it listens on
        loop = asyncio.get_running_loop()
        self._accept = accept
        self._listener.setblocking(False)
        loop.add_reader(self._listener, self._accept_waiting)
        with self._lock:
            self._loop = loop
        for channel in self._offered:
            self._watch(channel)

    def stop(self) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            self._loop = None
        loop.remove_reader(self._listener)
        self._listener.close()
        self._close_channels()

    def _accept_waiting(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except OSError:  # none waits, or it has gone
                return
            self._deal(connection)

    def _deal(self, connection: socket.socket) -> None:
        """Give a connection to the next process; to this one if that one does not take it."""
        self._next = (self._next + 1) % (len(self._channels) + 1)
        if self._next == 0:
            self._accept(connection)
            return
        channel = self._channels[self._next - 1]
        try:
            socket.send_fds(channel, [_CONNECTION], [connection.fileno()])
        except OSError:
            self._accept(connection)
        else:
            connection.close()

    def _watch(self, channel: socket.socket) -> None:
        asyncio.get_running_loop().add_reader(channel, self._hear, channel)

    def _hear(self, channel: socket.socket) -> None:
        """Take a process in once it is ready, and out when it has ended."""
        with suppress(BlockingIOError, ConnectionError):
            if channel.recv(1) == _READY:
                self._channels.append(channel)
                return
        self._remove(channel)

    def _remove(self, channel: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(channel)
        if channel in self._channels:
            self._channels.remove(channel)
        channel.close()

    def _close_channels(self) -> None:
        for channel in list(self._channels):
            self._remove(channel)


class Dealt:
    """The source of a process to which a `Dealer` deals, over `channel`."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._accept: Accept = _close
        self._end: Callable[[], None] = lambda: None

    def start(self, accept: Accept, end: Callable[[], None]) -> None:
        self._accept, self._end = accept, end
        self._channel.setblocking(False)
        asyncio.get_running_loop().add_reader(self._channel, self._receive)
        self._channel.send(_READY)

    def stop(self) -> None:
        if self._channel.fileno() != -1:
            asyncio.get_running_loop().remove_reader(self._channel)
            self._channel.close()

    def _receive(self) -> None:
        try:
            dealt, descriptors, _, _ = socket.recv_fds(self._channel, AT_ONCE, AT_ONCE)
        except BlockingIOError:
            return
        except ConnectionError:
            dealt, descriptors = b"", []
        for descriptor in descriptors:
            self._accept(socket.socket(fileno=descriptor))
        if not dealt:  # the dealer has ended, or deals no more
            self.stop()
            self._end()


def _close(connection: socket.socket) -> None:
    connection.close()
