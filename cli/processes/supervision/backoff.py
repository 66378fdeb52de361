"""Delays between restarts of a child process."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Increasing delays, reset once a child has run for `steady_s`."""

    delays_s: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 4.0)
    steady_s: float = 60.0
    _used: int = field(default=0, init=False)

    def after(self, lasted_s: float) -> float | None:
        """Return the delay in seconds after a child that ran for `lasted_s`; `None` to give up."""
        if lasted_s >= self.steady_s:
            self._used = 0
        if self._used == len(self.delays_s):
            return None
        self._used += 1
        return self.delays_s[self._used - 1]
