"""Services in one terminal: messages after failures."""

import socket
import sys
from pathlib import Path

import pytest
import typer
from rich.console import Console

from cli.processes import session, stack
from cli.processes.lock import InUse
from cli.processes.ports import HOST
from cli.processes.stack import Stack
from cli.processes.supervision.child import Child, Service
from core.settings import Settings


async def never(_child: Child) -> bool:
    return False


async def at_once(_child: Child) -> bool:
    return True


def plan_services(monkeypatch: pytest.MonkeyPatch, folder: Path, *services: Service) -> None:
    settings = Settings(data_dir=folder)
    result = Stack(services, settings, folder / "logs" / "nalanda.log")
    monkeypatch.setattr(stack, "plan", lambda *_, **__: result)


async def nothing(_stack: Stack) -> str:
    return "done"


def test_it_gives_what_the_work_gives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan_services(monkeypatch, tmp_path, Service("sleeper", ("sleep", "600"), at_once))
    assert session.run(Settings(data_dir=tmp_path), 0, Console(), nothing) == "done"


def test_a_service_that_fails_is_one_line_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "import sys; print('[key] is wrong'); sys.exit(3)"
    plan_services(monkeypatch, tmp_path, Service("api", (sys.executable, "-c", code), never))
    with pytest.raises(typer.Exit) as ended:
        session.run(Settings(data_dir=tmp_path), 0, Console(), nothing)
    assert ended.value.exit_code == 1
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("api ended at its start (exit status 3). ")
    assert "logs/nalanda.log" in first
    assert last == "    [key] is wrong"


def test_ports_are_chosen_again_when_another_was_quicker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another process takes the first plan's port before the service binds it."""
    settings = Settings(data_dir=tmp_path)
    with socket.create_server((HOST, 0)) as stranger:
        lost = Service("temporal", ("false",), at_once, ports=(stranger.getsockname()[1],))
        plans = iter([lost, Service("temporal", ("sleep", "600"), at_once)])

        def plan(*_: object, **__: object) -> Stack:
            return Stack((next(plans),), settings, tmp_path / "log")

        monkeypatch.setattr(stack, "plan", plan)
        assert session.run(settings, 0, Console(), nothing) == "done"
    assert next(plans, None) is None


def test_what_stands_in_the_way_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def in_use(*_: object, **__: object) -> Stack:
        raise InUse(tmp_path, "17")

    monkeypatch.setattr(stack, "plan", in_use)
    with pytest.raises(typer.Exit):
        session.run(Settings(data_dir=tmp_path), 0, Console(), nothing)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_places_below_the_working_directory_are_short(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert session.display_path(tmp_path / "logs") == "logs"
    assert session.display_path(tmp_path.parent) == str(tmp_path.parent)
