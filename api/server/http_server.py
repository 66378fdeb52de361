"""The HTTP server that runs the app, with its limits."""

import asyncio
import resource
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from api.server.connections import bounded_connection
from api.server.dealing import Source
from api.server.slots import Slots
from core.settings import Settings
from core.tracing import spans

_FILES_BESIDES = 1_000
"""Descriptors for the database's readers, the index and outgoing connections."""


class Server(uvicorn.Server):
    """A server that can take accepted connections from a source, and stop others first.

    At the first signal `stop_first` is called and awaited, before the server stops. A second signal
    stops the server too.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        source: Source | None,
        stop_first: Callable[[], None] | None,
    ) -> None:
        super().__init__(config)
        self._source = source
        self._stop_first = stop_first
        self._tasks: set[asyncio.Task[Any]] = set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        stop, self._stop_first = self._stop_first, None
        if stop is None:
            super().handle_exit(sig, frame)
            return

        def stop_and_exit() -> None:
            try:
                stop()
            finally:
                super(Server, self).handle_exit(sig, frame)

        threading.Thread(target=stop_and_exit, daemon=True).start()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._source is not None and not self.should_exit:
            self._source.start(self._take, self._end)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._source is not None:
            self._source.stop()
        await super().shutdown(sockets)

    def _take(self, connection: socket.socket) -> None:
        """Serve an accepted connection, as uvicorn does those that it accepts."""
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = asyncio.get_running_loop()
        task = loop.create_task(loop.connect_accepted_socket(self._protocol, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _protocol(self) -> asyncio.Protocol:
        config = self.config
        return config.http_protocol_class(  # type: ignore[call-arg]
            config=config, server_state=self.server_state, app_state=self.lifespan.state
        )

    def _end(self) -> None:
        self.should_exit = True


def server(
    app: FastAPI,
    settings: Settings,
    *,
    source: Source | None = None,
    stop_first: Callable[[], None] | None = None,
) -> Server:
    """Return a server of the app; `source` and `stop_first` as for `Server`."""
    _allow_files(settings.max_connections + _FILES_BESIDES)
    slots = Slots(settings.max_connections, settings.max_connections_per_client)
    connection = bounded_connection(
        slots=slots,
        patience_s=settings.slow_client_s,
        passed=None if spans.is_on() else app.state.passed_searches,  # the app records them
    )
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=connection,
        ws="none",
        access_log=False,
        timeout_graceful_shutdown=int(settings.drain_s),
    )
    return Server(config, source, stop_first)


def _allow_files(count: int) -> None:
    """Raise the limit of open files as far as the process may; the default is often 1,024."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if most == resource.RLIM_INFINITY else min(count, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
