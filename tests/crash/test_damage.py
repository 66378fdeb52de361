"""Effects of the damage, and files that it must not touch."""

import random
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from tests.crash.damage import damage, damage_checkpoint, damage_tail

ROWS = 50


@pytest.mark.parametrize("seed", range(20))
def test_a_file_is_shorter_or_differs_in_one_bit(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "file"
    whole = bytes(range(200))
    path.write_bytes(whole)
    damage(path, random.Random(seed), start=100)
    left = path.read_bytes()
    assert left != whole
    assert left[:100] == whole[:100]
    flipped = sum((a ^ b).bit_count() for a, b in zip(left, whole, strict=False))
    assert (len(left), flipped) == (200, 1) or (len(left) < 200 and flipped == 0)


def test_only_what_a_start_reads_matters(tmp_path: Path) -> None:
    assert damage_checkpoint(tmp_path, random.Random(1)) is None
    contents = {"1.checkpoint": b"a", "2.checkpoint": b"of b.rows", "a.rows": b"a", "b.rows": b"b"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    done = set()
    for seed in range(50):
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)
        damaged = damage_checkpoint(tmp_path, random.Random(seed))
        assert damaged is not None
        done.add((damaged.path.name, damaged.matters))
    assert done == {(name, name != "a.rows") for name in contents}


def test_the_rest_of_a_segment_that_has_lost_a_file_matters_no_more(tmp_path: Path) -> None:
    (tmp_path / "b.index").write_bytes(b"b")
    (tmp_path / "1.checkpoint").write_bytes(b'"b.rows", "b.index"')
    done = [damage_checkpoint(tmp_path, random.Random(seed)) for seed in range(2)]
    assert {(one.path.name, one.matters) for one in done if one} == {
        ("b.index", False),
        ("1.checkpoint", True),
    }


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_tail_of_the_log_costs_the_last_commits_and_no_others(
    tmp_path: Path, seed: int
) -> None:
    path = tmp_path / "db"
    with closing(apsw.Connection(str(path))) as connection:
        connection.pragma("journal_mode", "wal")
        connection.execute("CREATE TABLE t (x)")
        for row in range(ROWS):
            connection.execute("INSERT INTO t VALUES (?)", (row,))
        for name in ("db", "db-wal", "db-shm"):  # the state after a kill at this moment
            (tmp_path / f"killed-{name}").write_bytes((tmp_path / name).read_bytes())
    assert damage_tail(tmp_path / "killed-db-wal", random.Random(seed))
    with closing(apsw.Connection(str(tmp_path / "killed-db"))) as connection:
        left = [row for (row,) in connection.execute("SELECT x FROM t ORDER BY x")]
    assert ROWS - 12 <= len(left) < ROWS
    assert left == list(range(len(left)))


def test_a_log_that_is_in_the_database_already_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with closing(apsw.Connection(str(path))) as connection:
        connection.pragma("journal_mode", "wal")
        connection.execute("CREATE TABLE t (x)")
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        assert damage_tail(tmp_path / "db-wal", random.Random(1)) is None
    assert damage_tail(tmp_path / "none-wal", random.Random(1)) is None
