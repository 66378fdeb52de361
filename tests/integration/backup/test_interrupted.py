"""Backups and restores killed at each of their steps, and damaged files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.backup.manifest import Kind
from core.backup.restore import restore
from core.crash_points import VARIABLE
from core.domain.errors import StorageError
from core.verification import backups
from tests.integration.backup.case import Case, kinds, silent
from tests.integration.backup.recorded import digest_in

KILLED = -9
BACKUP_STEPS = ["backup.before_rename", "backup.before_manifest", "backup.after_manifest"]


def killed_at(step: str, *words: object) -> None:
    command = [sys.executable, "-m", "cli", *map(str, words)]
    ended = subprocess.run(command, env=os.environ | {VARIABLE: step}, check=False, timeout=60)
    assert ended.returncode == KILLED


@pytest.mark.parametrize("step", BACKUP_STEPS)
@pytest.mark.parametrize("earlier", [0, 1])
def test_an_interrupted_backup_leaves_nothing_that_counts(
    case: Case, step: str, earlier: int
) -> None:
    first = case.write(10)
    for _ in range(earlier):
        case.back_up()
        case.write(10)
    killed_at(step, "backup", case.directory, "--data", case.data_dir)
    counts = step == "backup.after_manifest"
    last = case.write(10)
    expected = [Kind.INCREMENTAL] if earlier or counts else [Kind.FULL]
    assert kinds(case.back_up()) == expected
    assert case.restore() == case.expected(last)
    if earlier:
        assert case.restore(first + 5) == case.expected(first + 5)
    assert list(backups.problems(case.directory)) == []
    names = [path.name for path in case.directory.iterdir()]
    assert len(names) == 2 + 2 * (1 + earlier + counts)  # the lock, and the owner's file


@pytest.mark.parametrize(
    "step", ["restore.after_build", "restore.before_rename", "restore.after_rename"]
)
def test_an_interrupted_restore_is_there_as_a_whole_or_not_at_all(case: Case, step: str) -> None:
    case.write(10)
    case.back_up()
    target = case.root / "restored"
    killed_at(step, "restore", case.directory, "--data", target)
    if step != "restore.after_rename":
        assert not target.exists()
        restore(case.directory, target, silent)
    assert digest_in(target) == case.expected(10)
    assert not (case.root / "restored.partial").exists()


def damage(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


@pytest.fixture
def chain(case: Case) -> list[Path]:
    """Return the files of a full backup and two incremental ones, at positions 10, 20 and 30."""
    for _ in range(3):
        case.write(10)
        case.back_up()
    return sorted(case.directory.glob("*.db"))


def test_a_damaged_file_is_named_and_restores_nothing(case: Case, chain: list[Path]) -> None:
    damage(chain[1], chain[1].stat().st_size // 2)
    with pytest.raises(StorageError, match=rf"{chain[1]} is damaged: its checksum"):
        case.restore()
    assert not (case.root / "restored-1").exists()
    assert case.restore(10) == case.expected(10)  # which does not need it
    (problem,) = backups.problems(case.directory)
    assert problem == f"{chain[1]} is damaged: its checksum is not its manifest's."


def test_a_missing_file_is_named(case: Case, chain: list[Path]) -> None:
    chain[2].unlink()
    with pytest.raises(StorageError, match=rf"{chain[2]} is missing"):
        case.restore()
    assert case.restore(20) == case.expected(20)


def test_a_gap_in_the_chain_says_where_backups_lead(case: Case, chain: list[Path]) -> None:
    chain[1].with_suffix(".json").unlink()
    with pytest.raises(StorageError, match="No backup leads to position 30; there are 10 to 10"):
        case.restore()
    (problem,) = backups.problems(case.directory)
    assert problem == f"{chain[2].name}: no backup leads to its start, position 20"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is damaged: it is no manifest"),
        ("{}", "is damaged: it is no manifest"),
        ('{"format": 1, "kind": "full"}', "is damaged: it is no manifest"),
        ('{"format": 2}', r"A newer Nalanda has written .*\(format 2\)"),
    ],
)
def test_a_damaged_manifest_is_named(case: Case, chain: list[Path], text: str, said: str) -> None:
    chain[0].with_suffix(".json").write_text(text)
    with pytest.raises(StorageError, match=said):
        case.restore()
    (problem,) = backups.problems(case.directory)
    assert chain[0].stem in problem


def test_a_manifest_leads_nowhere_else(case: Case, chain: list[Path]) -> None:
    manifest = chain[0].with_suffix(".json")
    manifest.write_text(manifest.read_text().replace(chain[0].name, "../data/nalanda.db"))
    with pytest.raises(StorageError, match="names the file"):
        case.restore()


def test_whose_backups_these_are_is_needed(case: Case, chain: list[Path]) -> None:
    about = case.directory / "repository.json"
    about.write_text("?")
    with pytest.raises(StorageError, match=rf"{about} is damaged"):
        case.restore()
