"""`make crash`: rounds of load and kills, and a report.

The seed decides how each round ends and what is written; the moments of the kills vary.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from core.indexing.maintenance.kernel_warmup import call_every_kernel
from tests.crash.driver import Bench, Broken
from tests.crash.endings import Ending, damaging_ending, random_ending
from tests.crash.engines import ENGINES, adopt_orphans
from tests.crash.run import run

SHORT_ROUNDS = 12
LEAST_SOAK_S = 10


def main() -> int:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="nalanda-crash-"))
    print(f"seed {options.seed}, in {folder}", flush=True)
    adopt_orphans()
    call_every_kernel()  # compile the kernels now, so that no server has to
    bench = Bench(folder, ENGINES[options.engine])
    try:
        if options.soak:
            bench.renew(bulk=True)
            print(bench.soak(options.soak, options.threads, random.Random(options.seed)))
        else:
            run(bench, _endings(options), options.seed)
    except Broken as broken:
        print(f"seed {options.seed}, {broken}", flush=True)
        return 1
    finally:
        bench.close()
    print(bench.report)
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _endings(options: argparse.Namespace) -> Iterator[tuple[Ending, random.Random]]:
    """Yield each round's ending with its own random generator."""
    database = options.engine == "postgres"
    for number in range(options.corrupt or options.rounds):
        rng = random.Random(f"{options.seed} {number}")
        if options.corrupt:
            yield damaging_ending(rng), rng
        else:
            yield random_ending(rng, database=database), rng


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--rounds", type=int, default=1000, help="with a kill each")
    what.add_argument(
        "--short", action="store_const", const=SHORT_ROUNDS, dest="rounds", help="a few rounds"
    )
    what.add_argument("--corrupt", type=int, metavar="N", help="N rounds with damaged files each")
    what.add_argument("--soak", type=float, metavar="SECONDS", help="load, and no kills")
    parser.add_argument("--threads", type=int, default=24, help="that read and write in the soak")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--engine", choices=sorted(ENGINES), default="sqlite")
    options = parser.parse_args()
    if options.soak is not None and options.soak < LEAST_SOAK_S:
        parser.error(f"A soak takes {LEAST_SOAK_S} s at least.")
    return options


if __name__ == "__main__":
    sys.exit(main())
