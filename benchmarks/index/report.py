"""Results of a run in docs/benchmarks: one JSON file per measurement."""

import json
from pathlib import Path

from benchmarks.index.machine import description

FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"


def write(name: str, measured: object) -> Path:
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    content = {"command": f"make bench ARGS={name}", "machine": description(), "measured": measured}
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path
