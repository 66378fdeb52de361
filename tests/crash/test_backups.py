"""Backups under load, restored and compared with the ledger."""

import json
import random
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from copy import deepcopy
from pathlib import Path

import pytest

from tests.crash import record
from tests.crash.checks import settle
from tests.crash.driver import Bench
from tests.crash.engines import ENGINES
from tests.crash.ledger import ClientReports
from tests.crash.server import ROOT, environment
from tests.waiting import until

BACKUPS, WRITES_BETWEEN = 3, 40


def nalanda(*arguments: str | Path, settings: Mapping[str, str] | None = None) -> str:
    """Run the command, and return its output.

    Raises:
        CalledProcessError: the command failed.
    """
    command = [sys.executable, "-m", "cli", *map(str, arguments)]
    return subprocess.run(
        command,
        env=environment(settings or {}),
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize("engine", ENGINES)
def test_any_position_restores_to_what_the_ledger_had_then(tmp_path: Path, engine: str) -> None:
    rng = random.Random(engine)
    backups = tmp_path / "backups"
    with closing(Bench(tmp_path, ENGINES[engine])) as bench:
        bench.renew(bulk=True)

        def back_up() -> None:
            for number in range(1, BACKUPS + 1):
                until(lambda: bench.count_answers() >= number * WRITES_BETWEEN)  # noqa: B023  # now
                place = {"NALANDA_DATA_DIR": str(bench.data_dir), **bench.engine.environment}
                nalanda("backup", backups, settings=place)

        ledger = bench.run_with(back_up, rng)
    listed = nalanda("backup", "list", backups, "--json").splitlines()
    ends = [json.loads(line)["end"] for line in listed]
    assert len(ends) == BACKUPS
    for position in {*ends, rng.randrange(ends[0], ends[-1])}:
        restored = tmp_path / f"at {position}"
        nalanda("restore", backups, "--data", restored, "--position", str(position))
        nalanda("verify", "--full", "--data", restored)
        then = deepcopy(ledger)
        then.rewind(position)
        restored_record = record.of_sqlite(restored / "nalanda.db", 0)
        assert restored_record.position == position
        assert settle(then, ClientReports(), restored_record) == []
