"""The recorded histories that the documentation names, and what it says of them."""

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

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
    paths = [write(text, tmp_path / name) for name, text in recorded(folder)]
    assert len(paths) == count
    for path in paths:
        assert main([str(path)]) == status
        assert f": {verdict}" in capsys.readouterr().out.splitlines()[0]


def recorded(folder: str) -> Iterator[tuple[str, bytes]]:
    """Yield the names and texts of the histories in a folder of the archive."""
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            file = archive.extractfile(member)
            if file is not None and path.parent.name == folder:
                yield path.name, file.read()


def write(text: bytes, path: Path) -> Path:
    path.write_bytes(text)
    return path
