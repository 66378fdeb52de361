"""The set-up of the interpreter of each process that serves the API."""

import gc
import sys
import threading

from core.indexing.maintenance.kernel_warmup import Warmup

_SWITCH_S = 0.0001
_YOUNG, _OLDER, _OLD = 20_000, 20, 50
"""Thresholds of the garbage collector, which stops all threads. High, because reference counting
frees nearly every object of the server."""


def set_up_interpreter() -> None:
    """Set the interpreter up for a server; call it first."""
    # Objects of the start stay alive: repeated garbage collection would take longer than their
    # creation, and would stop all threads.
    gc.disable()
    # A computing thread yields the GIL to one that responds sooner than the default 5 ms.
    sys.setswitchinterval(_SWITCH_S)


def freeze_objects(warmup: Warmup) -> None:
    """Exclude the objects of the start, and later those of the kernels, from garbage collection."""
    threading.Thread(target=_freeze_objects, args=(warmup,), daemon=True).start()


def _freeze_objects(warmup: Warmup) -> None:
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLD)
    gc.enable()
    warmup.wait(threading.TIMEOUT_MAX)
    gc.freeze()
