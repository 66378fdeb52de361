"""The server is killed at each named step; a step that is not reached fails."""

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.driver import Bench
from tests.crash.endings import SERVER_STEPS, Ending, How


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with closing(Bench(tmp_path_factory.mktemp("steps"))) as bench:
        bench.renew(bulk=True)
        yield bench


@pytest.mark.parametrize("step", SERVER_STEPS)
def test_a_kill_at_each_step_loses_nothing(bench: Bench, tmp_path: Path, step: str) -> None:
    rng = random.Random(step)
    reached = bench.round(Ending(How.STEP, step=step), rng)
    bench.finish(rng)
    if not reached:
        with closing(Bench(tmp_path)) as another:
            assert another.renew(fault=step), f"Nobody has come by {step}."
            another.finish(rng)
