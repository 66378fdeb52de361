"""A short `make chaos`: files that are ingested under kills, and compared chunk by chunk."""

from pathlib import Path

from tests.chaos.files import KINDS, make_files
from tests.chaos.run import run
from tests.e2e.stack import PARTS, Stack

FILES = 6 * len(KINDS)


def test_under_kills_the_library_is_that_of_an_undisturbed_run(tmp_path: Path) -> None:
    files = make_files(FILES, sections=3)
    with Stack(tmp_path) as stack:
        stack.start_all()
        report = run(stack, files, every_s=1.0, seed=1, rounds=4)
    assert report.differences == []
    assert report.chunks > 3 * FILES
    assert set(report.kills) <= set(PARTS)
    assert report.kills.total() > 0
