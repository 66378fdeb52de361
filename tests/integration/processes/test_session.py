"""Services in one terminal: what a person reads when it goes wrong."""

import sys
from pathlib import Path

import pytest
import typer
from rich.console import Console

from cli.processes import session, stack
from cli.processes.child import Child, Service
from cli.processes.lock import InUse
from cli.processes.stack import Stack
from core.settings import Settings


async def never(_child: Child) -> bool:
    return False


async def at_once(_child: Child) -> bool:
    return True


def planned(monkeypatch: pytest.MonkeyPatch, folder: Path, *services: Service) -> None:
    settings = Settings(data_dir=folder)
    result = Stack(services, settings, folder / "logs" / "nalanda.log")
    monkeypatch.setattr(stack, "plan", lambda *_, **__: result)


async def nothing(_stack: Stack) -> str:
    return "done"


def test_it_gives_what_the_work_gives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    planned(monkeypatch, tmp_path, Service("sleeper", ("sleep", "600"), at_once))
    assert session.run(Settings(), 0, Console(), nothing) == "done"


def test_a_service_that_fails_is_one_line_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "import sys; print('[key] is wrong'); sys.exit(3)"
    planned(monkeypatch, tmp_path, Service("api", (sys.executable, "-c", code), never))
    with pytest.raises(typer.Exit) as ended:
        session.run(Settings(), 0, Console(), nothing)
    assert ended.value.exit_code == 1
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("api ended at its start (exit status 3). ")
    assert "logs/nalanda.log" in first
    assert last == "    [key] is wrong"


def test_what_stands_in_the_way_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def in_use(*_: object, **__: object) -> Stack:
        raise InUse(tmp_path, "17")

    monkeypatch.setattr(stack, "plan", in_use)
    with pytest.raises(typer.Exit):
        session.run(Settings(), 0, Console(), nothing)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_places_below_the_working_directory_are_short(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert session.shown(tmp_path / "logs") == "logs"
    assert session.shown(tmp_path.parent) == str(tmp_path.parent)
