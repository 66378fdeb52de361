"""Long load of many threads on one server: only the disk usage may grow."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WARM_SHARE = 0.5
"""Share of the time in which pools, caches and heaps may still grow."""
MOST_GROWTH = 0.05
"""Maximum growth of the memory in the second half, relative to its mean."""
MOST_FILES = 4
"""Maximum increase of open files from the third to the last quarter."""


@dataclass(frozen=True, slots=True)
class Sample:
    at_s: float
    memory_bytes: int
    files: int


def sample(process: int, began: float) -> Sample:
    """Return the resident memory and open descriptors of a process; Linux only."""
    status = Path(f"/proc/{process}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    files = len(list(Path(f"/proc/{process}/fd").iterdir()))
    return Sample(time.monotonic() - began, int(line.split()[1]) * 1024, files)


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels of the second half. `growth_bytes`: of a linear fit of the memory; `files`: maximum of
    open files in the third and in the last quarter.
    """

    memory_bytes: int
    growth_bytes: int
    files: tuple[int, int]

    @property
    def faults(self) -> list[str]:
        faults = []
        if self.growth_bytes > MOST_GROWTH * self.memory_bytes:
            faults.append(f"memory grew by {self.growth_bytes} of {self.memory_bytes} bytes")
        if self.files[1] > self.files[0] + MOST_FILES:
            faults.append(f"open files grew from {self.files[0]} to {self.files[1]}")
        return faults

    def __str__(self) -> str:
        mib = 2**20
        return (
            f"In the second half: memory {self.memory_bytes / mib:.0f} MiB in the mean, which a "
            f"line through it has grow by {self.growth_bytes / mib:.1f} MiB; open files "
            f"{self.files[0]}, then {self.files[1]}."
        )


def levels(samples: Sequence[Sample]) -> Levels:
    """Return the levels of at least four evenly spaced samples."""
    late = samples[int(len(samples) * WARM_SHARE) :]
    at = np.array([one.at_s for one in late])
    memory = np.array([one.memory_bytes for one in late], np.float64)
    slope = np.polyfit(at, memory, 1)[0]
    middle = len(late) // 2
    return Levels(
        memory_bytes=int(memory.mean()),
        growth_bytes=int(slope * (at[-1] - at[0])),
        files=(max(one.files for one in late[:middle]), max(one.files for one in late[middle:])),
    )
