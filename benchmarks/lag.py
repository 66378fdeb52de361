"""The part of `make bench ARGS=following` in one process: how late a follower sees a write.

One follower is woken by the commits, and one polls alone. Both follow the same writes, one at a
time, so that a load on the machine is the same for both.
"""

import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from benchmarks.storage import open_writes
from core.adapters.postgres import PostgresStore
from core.indexing.views.catalog import Catalog
from core.replication.follower import Follower

WRITES = 400
LONGEST_GAP_S = 0.06
_SETTLED_S = 1.0


class _PollingStore(PostgresStore):
    """A store whose process is not woken by commits."""

    def watch(self, wake: Callable[[], None]) -> None:
        pass


def lags_ms(folder: Path, url: str) -> Mapping[str, float]:
    """Return the milliseconds from a write's acknowledgement until a follower has it."""
    with ExitStack() as stack:
        leader = PostgresStore(url, folder / "writes")
        write_one = stack.enter_context(open_writes(leader))()
        kinds = {"woken by commits": PostgresStore, "by polling alone": _PollingStore}
        seen = {
            name: stack.enter_context(_follow(kind(url, folder / name, follows=True)))
            for name, kind in kinds.items()
        }
        acknowledged = _write(leader, write_one)
        time.sleep(_SETTLED_S)
    measured = {}
    for name, moves in seen.items():
        lags = [1e3 * (_seen_at(moves, position) - at) for position, at in acknowledged.items()]
        cuts = statistics.quantiles(lags, n=100)
        measured[f"lag of a write {name}, p50, ms"] = cuts[49]
        measured[f"lag of a write {name}, p99, ms"] = cuts[98]
    return measured


@contextmanager
def _follow(store: PostgresStore) -> Iterator[Mapping[int, float]]:
    """Follow the record; yield the time at which each position was reached."""
    moves: dict[int, float] = {}
    with closing(store):
        with store.read() as snapshot:
            catalog = Catalog.load(snapshot)

        def note(position: int) -> None:
            moves.setdefault(position, time.perf_counter())

        catalog.on_move(note)
        follower = Follower(store, catalog)
        with closing(follower):
            follower.start()
            time.sleep(_SETTLED_S)
            yield moves


def _write(leader: PostgresStore, write_one: Callable[[str], None]) -> Mapping[int, float]:
    """Write one chunk at a time; return the time of each position's acknowledgement."""
    chance = random.Random(0)
    acknowledged = {}
    for number in range(WRITES):
        time.sleep(chance.uniform(0, LONGEST_GAP_S))  # so that no poll is in step with the writes
        write_one(f"lag-{number}")
        acknowledged[leader.written] = time.perf_counter()
    return acknowledged


def _seen_at(moves: Mapping[int, float], position: int) -> float:
    """Return when a position was reached, or passed."""
    return min(at for reached, at in moves.items() if reached >= position)
