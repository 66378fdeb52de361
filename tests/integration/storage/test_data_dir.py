"""The data directory: created if missing, locked by one process, free after its death."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.adapters.sqlite import SqliteStore
from core.domain.errors import DataDirInUse, StorageError

HOLD = """
import sys, time
from pathlib import Path
from core.adapters.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def test_a_missing_directory_is_made(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "a" / "b").close()
    SqliteStore(tmp_path / "a" / "b").close()


def test_a_second_store_is_refused_by_name_and_process(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path)
    with pytest.raises(DataDirInUse) as refusal:
        SqliteStore(tmp_path)
    assert str(refusal.value) == (
        f"The data directory {tmp_path} is in use by process {os.getpid()}."
    )
    first.close()
    SqliteStore(tmp_path).close()


def test_another_process_holds_it_until_it_dies(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(DataDirInUse, match=f"by process {holder.pid}"):
            SqliteStore(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=10)
        SqliteStore(tmp_path).close()


def test_a_directory_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match="file can't be used: it is or is below a file"):
        SqliteStore(tmp_path / "file")


def test_a_directory_that_can_t_be_written_is_one_clear_line() -> None:
    # Not by its mode, which does not restrict root.
    with pytest.raises(StorageError, match="The data directory /proc/nalanda can't be used"):
        SqliteStore(Path("/proc/nalanda"))
