"""Killed with -9 while it writes: what is left is a prefix, with all that was acknowledged."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import apsw

from core.adapters.sqlite import SqliteStore
from core.adapters.sqlite.store import DATABASE_NAME

KILLS = 3
ACKNOWLEDGED_BEFORE_A_KILL = 25


def write_and_be_killed(data_dir: Path) -> int:
    """The last position that was acknowledged."""
    command = [sys.executable, "-m", "tests.integration.storage.writing_process", str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(ACKNOWLEDGED_BEFORE_A_KILL)]
        writer.kill()
        acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
    return acknowledged[-1]


def test_the_survivors_are_a_prefix_with_every_acknowledged_write(tmp_path: Path) -> None:
    for _ in range(KILLS):
        acknowledged = write_and_be_killed(tmp_path)
        position = check_whole(tmp_path)
        assert position >= acknowledged


def check_whole(data_dir: Path) -> int:
    """The position, of which the state and the log are found to be."""
    with closing(SqliteStore(data_dir)) as store, store.read() as snapshot:
        position = snapshot.position
        assert snapshot.libraries.get("lib").version == position
        documents = snapshot.documents.page("lib", after=None, limit=10**6)
        assert {document.version for document in documents} == set(range(1, position + 1))
        assert sum(1 for _ in snapshot.chunks.scan("lib")) == 10 * position
    with closing(apsw.Connection(str(data_dir / DATABASE_NAME))) as connection:
        assert connection.pragma("integrity_check") == "ok"
        log = connection.execute("SELECT position FROM log ORDER BY position").fetchall()
    assert [row[0] for row in log] == list(range(1, position + 1))
    return position
