"""`python -m tests.mutation`: outcomes of damaged files by format; 1 if one hangs or crashes."""

import argparse
import sys

from tests.mutation.running import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.mutation", description=__doc__)
    parser.add_argument("--files", type=int, default=2000, help="files for each format")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    failed = 0
    for name, outcomes in run(options.files, options.seed):
        print(name, *(f"{kind}: {number}" for kind, number in sorted(outcomes.items())), flush=True)
        failed += outcomes["time"] + outcomes["crash"]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
