"""`python -m tests.cluster FOLDER`: runs with faults, and a verdict on each history.

The nodes are processes on this machine, on one PostgreSQL. `--without-fence` shows that the checker
finds what the fence prevents.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from nalanda_check.history import read
from nalanda_check.main import violations
from tests.cluster.clients import consistencies
from tests.cluster.run import FAULTS, longest_pause_s, run
from tests.postgres import PostgresServer, start_server


def main() -> int:
    options = _options()
    directory = Path(tempfile.mkdtemp(prefix="nalanda-cluster-"))
    server = start_server(directory)
    broken = 0
    try:
        for number in range(options.runs):
            for fault in options.fault:
                folder = options.folder / f"{fault}-{number}"
                path = run(
                    fault,
                    folder,
                    PostgresServer(directory),
                    options.consistency,
                    fence=not options.without_fence,
                )
                broken += _report(path)
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    return min(broken, 1)


def _report(path: Path) -> int:
    """Print the verdict on a history; return the number of violations."""
    history = read(path)
    found = violations(history)
    acknowledged = sum(op.acknowledged and op.changes for op in history)
    print(
        f"{path}: {'violated' if found else 'sound'}: {len(history)} operations,"
        f" {acknowledged} acknowledged writes, {longest_pause_s(path):.1f} s without one",
        flush=True,
    )
    for violation in found[:5]:
        print(f"  {violation}", flush=True)
    return len(found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("folder", type=Path, help="for the histories; it must not exist")
    parser.add_argument("--runs", type=int, default=1, help="of each fault")
    parser.add_argument("--fault", choices=sorted(FAULTS), nargs="+", default=sorted(FAULTS))
    parser.add_argument("--consistency", type=consistencies, default="strong,session,eventual")
    parser.add_argument("--without-fence", action="store_true")
    options = parser.parse_args()
    if options.folder.exists():
        parser.error(f"{options.folder} exists.")
    return options


if __name__ == "__main__":
    sys.exit(main())
