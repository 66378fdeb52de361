"""The set-up of each process that serves the API: its interpreter, and shared metrics."""

import gc
import os
import shutil
import sys
import threading
from pathlib import Path

from core.domain.errors import StorageError
from core.indexing.maintenance.kernel_warmup import Warmup

SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that `prometheus_client` reads when it is imported."""

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


def count_together(data_dir: Path) -> None:
    """Let this process and those that it starts count requests together; call it before imports.

    Raises:
        StorageError: the data directory can't be used.
    """
    directory = data_dir / "metrics"
    try:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
    except OSError as error:
        raise StorageError(f"{directory} can't be used: {error.strerror}") from error
    os.environ[SHARED_METRICS] = str(directory.absolute())


def freeze_objects(warmup: Warmup) -> None:
    """Exclude the objects of the start, and later those of the kernels, from garbage collection."""
    threading.Thread(target=_freeze_objects, args=(warmup,), daemon=True).start()


def _freeze_objects(warmup: Warmup) -> None:
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLD)
    gc.enable()
    warmup.wait(threading.TIMEOUT_MAX)
    gc.freeze()
