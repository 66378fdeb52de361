"""How long to wait before a child that died is started again, and when to give up."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Longer each time; over again once a child has lasted for `steady_s`."""

    delays_s: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 4.0)
    steady_s: float = 60.0
    _used: int = field(default=0, init=False)

    def after(self, lasted_s: float) -> float | None:
        """The seconds to wait after a child that lived `lasted_s`; None to give up."""
        if lasted_s >= self.steady_s:
            self._used = 0
        if self._used == len(self.delays_s):
            return None
        self._used += 1
        return self.delays_s[self._used - 1]
