"""`make chaos`: 10,000 chunks are ingested while all processes are killed again and again."""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.files import make_files
from tests.chaos.run import run
from tests.e2e.stack import Stack


def main() -> int:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="nalanda-chaos-"))
    print(f"seed {options.seed}, in {folder}", flush=True)
    files = make_files(options.files, sections=options.sections, seed=options.seed)
    with Stack(folder) as stack:
        stack.start_all()
        report = run(stack, files, every_s=options.every, seed=options.seed)
    print(report)
    for difference in report.differences:
        print(difference)
    if report.differences:
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--files", type=int, default=1200)
    parser.add_argument("--sections", type=int, default=6, help="of a file, on average")
    parser.add_argument("--every", type=float, default=4.0, help="seconds between kills")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
