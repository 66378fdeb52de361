"""A fair lock, which threads get in the order in which they asked for it."""

from collections import deque
from threading import Lock


class FairLock:
    """A mutual exclusion lock that is fair, and whose holder can hand it to the next waiter."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._is_locked = False
        self._waiting: deque[Lock] = deque()

    def acquire(self, timeout_s: float) -> bool:
        """Wait for the lock; return `False` if `timeout_s` pass without it."""
        with self._guard:
            if not self._is_locked:
                self._is_locked = True
                return True
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            if mine.acquire(timeout=timeout_s):
                return True
        except BaseException:
            if not self._leave_queue(mine):
                self.release()
            raise
        return not self._leave_queue(mine)

    def hand_on(self) -> bool:
        """Hand the lock to the longest waiter; return `False`, and keep it, if no one waits."""
        with self._guard:
            if not self._waiting:
                return False
            self._waiting.popleft().release()
            return True

    def release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_locked = False

    def _leave_queue(self, mine: Lock) -> bool:
        """Leave the queue; return `False` if this thread got the lock at the last moment."""
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return True
            return False
