"""`python -m tests.cluster.compare FOLDER`: the verdicts of nalanda-check and of porcupine.

Both judge the linearizability of each `*.jsonl` below the folder. It needs Go, which fetches
porcupine.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from nalanda_check import linearizability
from nalanda_check.history import read

_SOURCE = Path(__file__).parent / "porcupine"


def main() -> int:
    """Print both verdicts on each history; return 1 if any differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.compare", description=__doc__)
    parser.add_argument("folder", type=Path)
    paths = sorted(parser.parse_args().folder.rglob("*.jsonl"))
    if not paths:
        parser.error("There is no *.jsonl below the folder.")
    if shutil.which("go") is None:
        parser.error("porcupine needs Go, and there is no `go` on PATH.")
    theirs = _porcupine(paths)
    differing = 0
    for path in paths:
        ours = "violated" if any(linearizability.check(read(path))) else "sound"
        agree = ours == theirs[str(path)]
        differing += not agree
        print(f"{path}: {ours}, porcupine: {theirs[str(path)]}{'' if agree else ': they differ'}")
    print(f"{len(paths)} histories, {differing} with different verdicts")
    return min(differing, 1)


def _porcupine(paths: Sequence[Path]) -> Mapping[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "porcupine")
        subprocess.run(["go", "build", "-o", program, "."], cwd=_SOURCE, check=True)
        printed = subprocess.run([program, *paths], stdout=subprocess.PIPE, text=True, check=True)
    return dict(line.split("\t") for line in printed.stdout.splitlines())


if __name__ == "__main__":
    sys.exit(main())
