"""A discrete-event simulation: a clock, machines with cores, and processes with one thread each."""

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import TypeAlias

Callback: TypeAlias = Callable[[], None]


class Clock:
    """The simulated time in seconds, and the events to come."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._events: list[tuple[float, int, Callback]] = []
        self._numbers = count()

    def call_at(self, time_s: float, callback: Callback) -> None:
        heapq.heappush(self._events, (time_s, next(self._numbers), callback))

    def call_after(self, delay_s: float, callback: Callback) -> None:
        self.call_at(self.now_s + delay_s, callback)

    def run(self, until_s: float) -> None:
        """Run all events up to a time."""
        while self._events and self._events[0][0] <= until_s:
            self.now_s, _, callback = heapq.heappop(self._events)
            callback()
        self.now_s = until_s


class Machine:
    """Cores that the running processes share equally.

    `speeds`: how fast each process runs while 1, 2, … of them run, up to the number of cores. The
    cores of one machine share caches and execution units, so the speeds may fall. More processes
    than cores share what all cores do together.
    """

    def __init__(self, clock: Clock, speeds: Sequence[float]) -> None:
        self._clock = clock
        self._speeds = speeds
        self._numbers = count()
        # The work that a process would have done that had run since the beginning: all running
        # processes have the same speed, so they end in the order of its value at their end.
        self._work_s = 0.0
        self._since_s = 0.0
        self._running: list[tuple[float, int, Callback]] = []
        self._plan = 0

    def run(self, work_s: float, done: Callback) -> None:
        """Run a process for a time of CPU, as measured while it runs alone, and call `done`."""
        self._advance()
        heapq.heappush(self._running, (self._work_s + work_s, next(self._numbers), done))
        self._schedule()

    def _speed(self) -> float:
        running, cores = len(self._running), len(self._speeds)
        if running <= cores:
            return self._speeds[running - 1]
        return self._speeds[-1] * cores / running

    def _advance(self) -> None:
        if self._running:
            self._work_s += (self._clock.now_s - self._since_s) * self._speed()
        self._since_s = self._clock.now_s

    def _schedule(self) -> None:
        self._plan += 1
        if self._running:
            plan, left_s = self._plan, self._running[0][0] - self._work_s
            self._clock.call_after(max(0.0, left_s) / self._speed(), lambda: self._finish(plan))

    def _finish(self, plan: int) -> None:
        if plan != self._plan:
            return  # another process has begun or ended since
        self._advance()
        _, _, done = heapq.heappop(self._running)
        self._schedule()
        done()


class Process:
    """A process of a machine that works on one request after the other, in their order."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._waiting: deque[tuple[float, Callback]] = deque()
        self._is_busy = False

    @property
    def load(self) -> int:
        """The number of requests that wait or are worked on."""
        return len(self._waiting) + self._is_busy

    def submit(self, work_s: float, done: Callback) -> None:
        self._waiting.append((work_s, done))
        if not self._is_busy:
            self._begin()

    def _begin(self) -> None:
        work_s, done = self._waiting.popleft()
        self._is_busy = True
        self._machine.run(work_s, lambda: self._end(done))

    def _end(self, done: Callback) -> None:
        self._is_busy = False
        if self._waiting:
            self._begin()
        done()
