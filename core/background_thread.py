"""The lifecycle of a background thread: it works when it is due or woken, until it is closed."""

import logging
import math
import threading
from collections.abc import Callable

CLOSE_S = 60.0
"""The time that `close` waits for the work in progress."""

_log = logging.getLogger(__name__)


class BackgroundThread:
    """A daemon thread that calls `work` again and again.

    `work` does one piece of work, and returns the seconds until it is due again: 0 for at once,
    `math.inf` to wait for `wake`, `None` to end the thread. If `work` raises an exception, the
    thread logs it as `failure`, and calls `work` again after `retry_s`; `None`: the thread ends.
    `begin`: called first, in the thread.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], float | None],
        *,
        failure: str,
        retry_s: float | None = 0.0,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        self._work = work
        self._failure, self._retry_s = failure, retry_s
        self._begin = begin
        self._changed = threading.Condition()
        # Guarded by `_changed`.
        self._woken = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_closed(self) -> bool:
        """True once the thread should end; long work checks it."""
        return self._closed

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Call `work` now, or again after the call in progress."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self, timeout_s: float = CLOSE_S) -> bool:
        """End the thread after the work in progress, and wait for it up to `timeout_s`.

        Returns whether the thread was started and has ended.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread.ident is None:
            return False
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            _log.info("The thread %r is still at work.", self._thread.name)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._begin()
        wait_s: float | None = 0.0
        while wait_s is not None and self._wait(wait_s):
            wait_s = self._try()

    def _wait(self, timeout_s: float) -> bool:
        """Wait until the work is due or the thread is woken; return `False` once closed."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._woken or self._closed, None if timeout_s == math.inf else timeout_s
            )
            self._woken = False
            return not self._closed

    def _try(self) -> float | None:
        try:
            return self._work()
        except Exception:  # noqa: BLE001  # the next call may succeed
            # A close may interrupt the work, whose result is no longer wanted.
            level = logging.DEBUG if self._closed else logging.ERROR
            _log.log(level, self._failure, exc_info=True)
            return self._retry_s
