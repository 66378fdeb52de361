"""`make bench`: every measurement, one after the other; `ARGS=workflow` for one of them.

Machines are shared and noisy, so each measurement runs its peers in the same process, in
turn, and prints medians and their ratio.
"""

import asyncio
import sys

from benchmarks import question, search, workflow

BENCHMARKS = {"workflow": workflow.main, "question": question.main, "search": search.main}


def main() -> int:
    names = sys.argv[1:] or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        known = ", ".join(BENCHMARKS)
        print(f"No benchmark is called {', '.join(unknown)}; there are: {known}", file=sys.stderr)
        return 2
    for name in names:
        asyncio.run(BENCHMARKS[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
