"""Calls of the cluster's record while a node starts."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from core.cluster.lease import SteadyClock, boot_s
from core.domain.errors import Unavailable

START_S = 30.0
"""The time in which the database has to answer."""

_POLL_S = 0.1

T = TypeVar("T")

_log = logging.getLogger(__name__)


def call_at_start(
    call: Callable[[], T],
    *,
    clock: SteadyClock = boot_s,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """Call until the database answers, and return its answer.

    A call has a part of a lease, in which a busy database may not answer. Later the next look comes
    soon; a start would fail.

    Raises:
        Unavailable: the database has not answered for `START_S`.
    """
    until_s = clock() + START_S
    while True:
        try:
            return call()
        except Unavailable as error:
            if clock() >= until_s:
                raise
            _log.warning("The node can't join its cluster yet: %s", error)
            pause(_POLL_S)
