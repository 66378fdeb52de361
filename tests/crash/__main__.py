"""`make crash`: many rounds, and what came of them."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from core import faults
from tests.crash.driver import Bench, Broken
from tests.crash.endings import random_ending

RENEWED_AFTER = 50


def main() -> int:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="nalanda-crash-"))
    print(f"seed {options.seed}, in {folder}", flush=True)
    bench = Bench(folder, options.seed)
    try:
        for number in range(options.rounds):
            rng = random.Random(f"{options.seed} {number}")
            if number % RENEWED_AFTER == 0:
                if number:
                    bench.finish(rng)
                bench.renew(bulk=number // RENEWED_AFTER % 2 == 1)
            ending = random_ending(rng, getattr(faults, "STEPS", ()), database=False)
            bench.round(ending, rng)
            print(number, ending, file=sys.stderr)
        bench.finish(random.Random(options.seed))
    except Broken as broken:
        print(f"seed {options.seed}, {broken}")
        return 1
    finally:
        bench.close()
    print(bench.report)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
