"""Endings of a round: which process is killed, and when."""

import random
from dataclasses import dataclass
from enum import StrEnum

from core.crash_points import STEPS

SERVER_STEPS = [step for step in STEPS if not step.startswith(("backup.", "restore."))]
"""Steps of the server; those of other commands have their own tests."""

_STEP_SHARE = 0.3
_FIRST_SHARE = 0.1
_MOST_WRITES = 80
_LATEST_S = 0.05
_START_S = 1.2
_MOST_TIMES = 30
_MOST_OTHER_TIMES = 2
_OF_A_WRITE = ("write.joined", "commit.before", "commit.after", "apply.after")


class How(StrEnum):
    KILL = "kills of the server"
    STEP = "kills at a step"
    CLIENTS = "kills of the clients, then of the server"
    DATABASE = "kills of the database, then of the server"
    STOP = "stops"


@dataclass(frozen=True, slots=True)
class Ending:
    """An ending of a round.

    `after_writes`: number of acknowledged writes, followed by `after_s` of load. `step`: its name,
    and `times`, the number of passes before the kill. `first_killed_after_s`: time until the kill
    of a separate start before the round. `damage`: files are damaged afterwards.
    """

    how: How
    after_writes: int = 0
    after_s: float = 0.0
    step: str = ""
    times: int = 1
    first_killed_after_s: float | None = None
    damage: bool = False

    @property
    def fault(self) -> str | None:
        return f"{self.step}:{self.times}" if self.how is How.STEP else None


def damaging_ending(rng: random.Random) -> Ending:
    """Return an ending with damage, mostly by a kill, as a stop leaves no log."""
    (how,) = rng.choices([How.KILL, How.STOP], [2, 1])
    return Ending(how, *_moment(rng), damage=True)


def random_ending(rng: random.Random, *, database: bool) -> Ending:
    """Return any ending; `database`: the database runs in its own process."""
    first = rng.uniform(0, _START_S) if rng.random() < _FIRST_SHARE else None
    if rng.random() < _STEP_SHARE:
        step = rng.choice([step for step in SERVER_STEPS if not step.startswith("migrate.")])
        times = rng.randint(1, _MOST_TIMES if step in _OF_A_WRITE else _MOST_OTHER_TIMES)
        return Ending(How.STEP, step=step, times=times, first_killed_after_s=first)
    hows, weights = [How.KILL, How.CLIENTS, How.STOP], [10, 2, 1]
    if database:
        hows.append(How.DATABASE)
        weights.append(6)
    (how,) = rng.choices(hows, weights)
    return Ending(how, *_moment(rng), first_killed_after_s=first)


def _moment(rng: random.Random) -> tuple[int, float]:
    return rng.randint(0, _MOST_WRITES), rng.uniform(0, _LATEST_S)
