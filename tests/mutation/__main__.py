"""`python -m tests.mutation`: outcomes of damaged files by format; 1 if one hangs or crashes."""

import argparse
import sys
from pathlib import Path

from tests.mutation.mutating import SEEDS, seeds_in
from tests.mutation.running import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.mutation", description=__doc__)
    parser.add_argument("--files", type=int, default=2000, help="files for each seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=Path, help="a folder of files to damage, instead of ours")
    options = parser.parse_args()
    seeds = SEEDS if options.seeds is None else seeds_in(options.seeds)
    failed = 0
    for name, outcomes in run(options.files, options.seed, seeds):
        print(name, *(f"{kind}: {number}" for kind, number in sorted(outcomes.items())), flush=True)
        failed += outcomes["time"] + outcomes["crash"]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
