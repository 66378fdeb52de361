"""A fair lock: handed on to those who wait, in the order in which they came."""

from collections import deque
from threading import Lock


class FairLock:
    """Unlike `threading.Lock` it is fair, and its holder can tell whether there is a next one."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._taken = False
        self._waiting: deque[Lock] = deque()

    def take(self, timeout_s: float) -> bool:
        """Whether it is this thread's turn; `False` after `timeout_s` in vain."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            if mine.acquire(timeout=timeout_s):
                return True
        except BaseException:
            if not self._gave_up(mine):
                self.leave()
            raise
        return not self._gave_up(mine)

    def hand_on(self) -> bool:
        """To whoever has waited longest; `False` if nobody waits, and the turn is kept."""
        with self._guard:
            if not self._waiting:
                return False
            self._waiting.popleft().release()
            return True

    def leave(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    def _gave_up(self, mine: Lock) -> bool:
        """`False`: the turn came at the last moment, and somebody has to take it."""
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return True
            return False
