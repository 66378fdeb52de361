"""`nalanda backup`, `restore`, `verify` and `compact`: output and exit status."""

import json
import re
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from core.adapters.sqlite import SqliteStore
from core.adapters.sqlite.store import DATABASE_NAME
from tests.integration.backup.recorded import Writer
from tests.integration.cli.conftest import Run


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a data directory with five writes, named by the settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NALANDA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("NALANDA_DATABASE_URL", raising=False)
    write(tmp_path / "data", 5)
    return tmp_path / "data"


SOUND = "All stored data is sound.\nThe digest at position "


def write(data_dir: Path, times: int) -> None:
    with closing(SqliteStore(data_dir)) as store:
        writer = Writer(store, seed=times)
        for _ in range(times):
            writer.write()


def test_backups_are_taken_listed_and_restored(run: Run, data_dir: Path) -> None:
    assert run("backup", "b").startswith("000000000005-full.db: full, position 5, ")
    assert run("backup", "b") == "Nothing has changed since position 5.\n"
    write(data_dir, 7)
    taken = json.loads(run("backup", "b", "--json"))
    assert (taken["kind"], taken["start"], taken["end"]) == ("incremental", 5, 12)
    first, second = run("backup", "list", "b").splitlines()
    assert first.split("\t")[:3] == ["full", "5", "5"]
    assert second.split("\t")[:3] == ["incremental", "5", "12"]
    assert len(run("backup", "list", "b", "--json").splitlines()) == 2
    said = run("restore", "b", "--data", "new", "--position", 8)
    assert said == "Restored new at position 8.\n"
    assert run("verify", "--data", "new").startswith(SOUND)
    assert run("verify", "b") == "All stored data is sound.\n"
    assert run("restore", "b", "--data", "last", "--time", taken["end_at"]).endswith("12.\n")


def test_backups_are_taken_of_what_a_server_has(run: Run, data_dir: Path) -> None:
    with closing(SqliteStore(data_dir)):
        assert "full" in run("backup", "b")
        assert run("verify").startswith(SOUND)
        assert "is in use by process" in run("compact")


def test_a_full_backup_that_was_not_asked_for_says_why(run: Run, data_dir: Path) -> None:
    run("backup", "b")
    with closing(apsw.Connection(str(data_dir / DATABASE_NAME))) as connection:
        connection.execute("UPDATE cluster SET keeps_history = 0")
    write(data_dir, 1)
    assert "A full backup, because the database no longer has the changes" in run("backup", "b")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["restore", "none", "--data", "x"], "nalanda: There are no backups in none.\n"),
        (["restore", "b", "--data", "data"], "nalanda: data is not empty; a restore needs a new"),
        (
            ["restore", "b", "--data", "x", "--position", "4"],
            "nalanda: No backup leads to position 4;",
        ),
        (
            ["restore", "b", "--data", "x", "--time", "1999-01-01"],
            "nalanda: The first backup in b is",
        ),
        (["restore", "b", "--data", "x", "--time", "soon"], "This must be a time such as"),
        (
            ["restore", "b", "--data", "x", "--time", "1999-01-01", "--position", "5"],
            "either --position",
        ),
        (["restore", "b"], "Give a new directory, or set NALANDA_DATABASE_URL to an empty"),
        (["backup", "b", "c"], "Give exactly one directory"),
        (["backup", "list", "none"], "nalanda: There are no backups in none.\n"),
        (["backup", "data"], "nalanda: data has other files in it; choose an empty directory.\n"),
        (["backup", "x", "--data", "none"], "nalanda: There is no database none/nalanda.db.\n"),
        (["compact", "--data", "none"], "nalanda: There is no database none/nalanda.db.\n"),
    ],
)
def test_mistakes_are_one_clear_line(run: Run, words: list[str], said: str) -> None:
    run("backup", "b")
    answer = run(*words)
    assert said in answer
    if said.startswith("nalanda"):
        assert answer.count("\n") == 1
    assert not Path("x").exists()
    assert not Path("none").exists()


def test_a_postgresql_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NALANDA_DATABASE_URL", "postgresql://nowhere")
    assert "is not available" in run("backup", "b")
    assert "is not available" in run("verify", status=1)
    said = run("restore", "b", status=1)
    assert said.startswith("nalanda: nowhere:5432/ can't be opened (")
    assert said.endswith("): check NALANDA_DATABASE_URL, and that the server runs.\n")
    assert said.count("\n") == 1
    assert (
        run("compact") == "nalanda: The server at NALANDA_DATABASE_URL reclaims space by itself.\n"
    )
    assert "full" in run("backup", "b", "--data", "data")
    assert "sound" in run("verify", "--data", "data")


def test_a_restore_into_postgresql(
    run: Run, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("backup", "b")
    monkeypatch.setenv("NALANDA_DATABASE_URL", postgres_url)
    assert run("restore", "b", "--data", "new") == "Restored new at position 5.\n"
    said = run("restore", "b", status=0)
    assert said.endswith(" at position 5.\n")
    assert run("verify").startswith(SOUND)
    again = run("restore", "b", status=1)
    assert again.endswith(" is not empty; a restore needs an empty database.\n")
    assert again.count("\n") == 1


def test_what_is_wrong_is_said_and_ends_with_one(run: Run, data_dir: Path) -> None:
    with closing(apsw.Connection(str(data_dir / DATABASE_NAME))) as connection:
        connection.execute("DELETE FROM log WHERE position = 3")
    assert run("verify", status=1).startswith("log: positions 3 to 3 are missing\nThe digest at ")
    said = json.loads(run("verify", "--json", status=1))
    assert re.fullmatch("[0-9a-f]{64}", said.pop("digest"))
    assert said == {
        "sound": False,
        "problems": ["log: positions 3 to 3 are missing"],
        "position": 5,
    }


def test_space_is_given_back(run: Run, data_dir: Path) -> None:
    write(data_dir, 300)
    with closing(SqliteStore(data_dir)) as store, store.write() as unit:
        for library in unit.libraries.page(after=None, limit=10):
            unit.libraries.delete(library.id)
        unit.commit()
    made = json.loads(run("compact", "--json"))
    assert made["after_bytes"] < 0.7 * made["before_bytes"]
    assert made["log_entries"] == 305  # all but the last
    assert "bytes before" in run("compact")
    assert run("verify").startswith(SOUND)
    write(data_dir, 1)
    run("backup", "b")
    write(data_dir, 10)
    assert (
        json.loads(run("compact", "--json"))["log_entries"] == 1
    )  # the next backup needs the others
    assert "incremental" in run("backup", "b")
