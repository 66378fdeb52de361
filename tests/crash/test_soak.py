"""The bench distinguishes a leak from noise."""

import os
import random
import time

from tests.crash.soak import Sample, levels, sample


def samples(*, grow_bytes: int = 0, grow_files: int = 0) -> list[Sample]:
    rng = random.Random(1)
    return [
        Sample(
            at_s=float(i),
            memory_bytes=200_000_000 + rng.randint(-2_000_000, 2_000_000) + grow_bytes * i,
            files=30 + rng.randint(0, 3) + grow_files * i // 100,
        )
        for i in range(600)
    ]


def test_noise_is_level() -> None:
    assert levels(samples()).faults == []


def test_memory_that_grows_is_found() -> None:
    (fault,) = levels(samples(grow_bytes=100_000)).faults
    assert fault.startswith("memory grew")


def test_files_that_stay_open_are_found() -> None:
    (fault,) = levels(samples(grow_files=10)).faults
    assert fault.startswith("open files grew")


def test_growth_at_the_beginning_is_no_leak() -> None:
    early = [Sample(i, 100_000_000 + 1_000_000 * i, 10) for i in range(100)]
    late = [Sample(100 + i, 200_000_000, 30) for i in range(200)]
    assert levels(early + late).faults == []


def test_a_process_is_measured() -> None:
    measured = sample(os.getpid(), time.monotonic())
    assert measured.memory_bytes > 10_000_000
    assert measured.files >= 3
