"""Durable files: after a crash a file is either complete or absent."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from core import crash_points
from core.indexing.container.container import open_container
from core.indexing.container.durable import UNFINISHED, write_durably
from core.indexing.container.writer import write_container


def test_it_has_the_content_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_durably(tmp_path / "a", lambda file: file.write(b"one"))
    write_durably(tmp_path / "a", lambda file: file.write(b"two"))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"two")]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"before")

    def fill_the_disk(file: BinaryIO) -> None:
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"):
        write_durably(path, fill_the_disk)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert path.read_bytes() == b"before"


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_container(tmp_path / "a", "k", {}, {"x": np.zeros(10)})
    assert not list(tmp_path.iterdir())


_FILLS = """
import resource, sys
from pathlib import Path
import numpy as np
from core.indexing.container.writer import write_container
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
try:
    write_container(Path(sys.argv[1]), "k", {}, {"x": np.zeros(1_000_000)})
except OSError as error:
    print(error.strerror)
"""


def test_a_file_that_can_grow_no_further_is_taken_away(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _FILLS, tmp_path / "a"], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "File too large\n"
    assert not list(tmp_path.iterdir())


def test_what_is_mapped_stays_as_it_was_once_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_container(path, "k", {}, {"x": np.arange(100_000)})
    before = open_container(path, "k").arrays["x"]
    write_container(path, "k", {}, {"x": np.zeros(3)})
    assert (before == np.arange(100_000)).all()
    path.unlink()
    assert (before == np.arange(100_000)).all()


_WRITES = """
import sys
from pathlib import Path
from core.indexing.container.durable import write_durably
write_durably(Path(sys.argv[1]), lambda file: file.write(b"new"))
"""


@pytest.mark.parametrize(
    ("step", "content"),
    [("file.written", b"old"), ("file.synced", b"old"), ("file.renamed", b"new")],
)
def test_killed_at_each_step_it_is_the_old_file_or_the_new_one(
    tmp_path: Path, step: str, content: bytes
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    killed = subprocess.run(
        [sys.executable, "-c", _WRITES, path],
        env={**os.environ, crash_points.VARIABLE: step},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == content
    unfinished = path.with_name("a" + UNFINISHED)
    assert unfinished.exists() == (content == b"old")
    write_durably(path, lambda file: file.write(b"again"))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"again")]
