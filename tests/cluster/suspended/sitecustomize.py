"""A lease's clock that stands still while its process does, as on a machine that is suspended.

Python imports this module at its start, where `PYTHONPATH` has this folder.
"""

import threading
import time

from core.cluster import lease

_TICK_S = 0.01
_LONGEST_TICK_S = 0.1
_seconds = 0.0


def _count() -> None:
    global _seconds  # of the one clock of this process
    last = time.monotonic()
    while True:
        time.sleep(_TICK_S)
        now = time.monotonic()
        _seconds += min(now - last, _LONGEST_TICK_S)
        last = now


lease.boot_s = lambda: _seconds
threading.Thread(target=_count, daemon=True).start()
