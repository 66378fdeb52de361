"""Dependencies of the handlers: the core, the settings, Temporal and the requested position."""

import asyncio
import time
from typing import Annotated, Literal

from fastapi import Depends, Header, Request
from fastapi.concurrency import run_in_threadpool

from api.http.parameters import WHOLE
from api.temporal import Temporal
from core.bootstrap import Core
from core.domain.errors import Behind
from core.replication.reader import Reader
from core.settings import Settings

_POLL_S = 0.001


async def _core(request: Request) -> Core:
    core: Core = request.app.state.core
    return core


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _temporal(request: Request) -> Temporal:
    temporal: Temporal = request.app.state.temporal
    return temporal


CoreOf = Annotated[Core, Depends(_core)]
SettingsOf = Annotated[Settings, Depends(_settings)]
TemporalOf = Annotated[Temporal, Depends(_temporal)]


MinPosition = Annotated[
    int | None,
    Header(
        alias="Nalanda-Min-Position",
        ge=0,
        description="Read at this position or later; 503 if the server does not reach it in time.",
    ),
    WHOLE,
]


Consistency = Annotated[
    Literal["eventual", "session", "strong"] | None,
    Header(
        alias="Nalanda-Consistency",
        description="`strong`: read every write that was acknowledged before the request. "
        "`session`: read `Nalanda-Min-Position` or later. `eventual`: do not wait. The default is "
        "`strong` on the leader, and `session` on a follower.",
    ),
]


async def _acknowledged(core: Core, consistency: str | None) -> int:
    """Return the position of all writes that a request has to read; 0 if it names its own.

    Clients of a reader see one server with the process that it follows, so by default a reader
    waits for the writes that this process has served.

    Raises:
        NalandaError: the record can't be read.
    """
    if consistency == "strong":
        return await run_in_threadpool(lambda: core.store.position)
    if consistency is None and isinstance(core.follower, Reader):
        return core.follower.acknowledged()
    return 0


def has_reached(core: Core, wanted: int, consistency: str | None) -> bool:
    """Return whether this process has what a request has to read; false if only the record says.

    Raises:
        NalandaError: the record can't be read.
    """
    if consistency == "eventual":
        return True
    if core.follower is not None:
        if consistency == "strong":
            return False
        if consistency is None and isinstance(core.follower, Reader):
            wanted = max(wanted, core.follower.acknowledged())
    return core.catalog.position >= wanted


async def wait_for_position(
    request: Request, wanted: MinPosition = None, consistency: Consistency = None
) -> None:
    """Wait until this process has what the request has to read.

    The wait runs on the event loop, so it occupies no thread.

    Raises:
        Behind: the node did not reach the position in time.
    """
    core, settings = await _core(request), await _settings(request)
    if has_reached(core, wanted or 0, consistency):
        return
    wanted = wanted or 0
    if core.follower is not None:
        wanted = max(wanted, await _acknowledged(core, consistency))
        core.follower.wake()
    deadline = time.monotonic() + settings.min_position_wait_s
    while core.catalog.position < wanted:
        if time.monotonic() >= deadline:
            raise Behind(wanted=wanted, reached=core.catalog.position)
        await asyncio.sleep(_POLL_S)
