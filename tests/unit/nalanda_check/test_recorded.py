"""The recorded histories that the documentation names, and what it says of them."""

import tarfile
from pathlib import Path

import pytest

from nalanda_check.main import SOUND, VIOLATED, main

ARCHIVE = Path(__file__).parents[3] / "docs" / "benchmarks" / "histories.tar.xz"


@pytest.mark.parametrize(
    ("folder", "count", "status", "verdict"),
    [("sound", 115, SOUND, "sound"), ("lossy", 12, VIOLATED, "violated")],
)
def test_each_recorded_history_is_judged_as_it_was(
    folder: str,
    count: int,
    status: int,
    verdict: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    paths = sorted(str(path) for path in (tmp_path / folder).glob("*.jsonl"))
    assert len(paths) == count
    for path in paths:
        assert main([path]) == status
        assert f": {verdict}" in capsys.readouterr().out.splitlines()[0]
