"""Rounds in one data directory after another."""

import random
from collections.abc import Iterable

from tests.crash.driver import Bench
from tests.crash.endings import Ending

RENEWED_AFTER = 50
"""Rounds per directory; every other directory has a library large enough for segments."""


def run(bench: Bench, endings: Iterable[tuple[Ending, random.Random]], seed: int) -> None:
    """Run rounds, each with its ending and random generator.

    Raises:
        Broken: a check failed.
    """
    for number, (ending, rng) in enumerate(endings):
        if number % RENEWED_AFTER == 0:
            if number:
                bench.finish(rng)
                print(bench.report, flush=True)
            bench.renew(bulk=number // RENEWED_AFTER % 2 == 1)
        bench.round(ending, rng)
    bench.finish(random.Random(seed))
