"""The HTTP server that runs the app, with its limits."""

import resource
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from api.server.connections import bounded_connection
from api.server.slots import Slots
from core.settings import Settings

_FILES_BESIDES = 1_000
"""Descriptors for the database's readers, the index and outgoing connections."""


class Server(uvicorn.Server):
    """A server that, at a signal, first stops what depends on it; a second signal stops it too."""

    def __init__(self, config: uvicorn.Config, stop_first: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._stop_first = stop_first

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        stop, self._stop_first = self._stop_first, None
        if stop is None:
            super().handle_exit(sig, frame)
            return

        def stop_and_exit() -> None:
            stop()
            super(Server, self).handle_exit(sig, frame)

        threading.Thread(target=stop_and_exit, daemon=True).start()


def server(
    app: ASGIApp, settings: Settings, *, stop_first: Callable[[], None] | None = None
) -> Server:
    """Return a server of the app; `stop_first` is called when it is asked to stop, and awaited."""
    _allow_files(settings.max_connections + _FILES_BESIDES)
    slots = Slots(settings.max_connections, settings.max_connections_per_client)
    connection = bounded_connection(slots=slots, patience_s=settings.slow_client_s)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=connection,
        ws="none",
        access_log=False,
        timeout_graceful_shutdown=int(settings.drain_s),
    )
    return Server(config, stop_first)


def _allow_files(count: int) -> None:
    """Raise the limit of open files as far as the process may; the default is often 1,024."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if most == resource.RLIM_INFINITY else min(count, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
