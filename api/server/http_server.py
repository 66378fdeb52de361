"""The HTTP server that runs the app, with its limits."""

import resource

import uvicorn
from starlette.types import ASGIApp

from api.server.connections import bounded_connection
from api.server.slots import Slots
from core.settings import Settings

_FILES_BESIDES = 1_000
"""Descriptors for the database's readers, the index and outgoing connections."""


def server(app: ASGIApp, settings: Settings) -> uvicorn.Server:
    _allow_files(settings.max_connections + _FILES_BESIDES)
    slots = Slots(settings.max_connections, settings.max_connections_per_client)
    connection = bounded_connection(slots=slots, patience_s=settings.slow_client_s)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http=connection,
            ws="none",
            access_log=False,
            timeout_graceful_shutdown=int(settings.drain_s),
        )
    )


def _allow_files(count: int) -> None:
    """Raise the limit of open files as far as the process may; the default is often 1,024."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if most == resource.RLIM_INFINITY else min(count, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
