"""The planned services and their settings."""

from pathlib import Path

import pytest

from cli.processes import lock, ports, stack
from core.settings import Settings


def plan(settings: Settings) -> tuple[stack.Stack, list[str]]:
    notices: list[str] = []
    with ports.listen(0) as listener:
        return stack.plan(settings, listener=listener, notice=notices.append), notices


@pytest.fixture(autouse=True)
def no_ports_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "first_free", lambda wanted, promised=(): wanted)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no .env
    monkeypatch.delenv("NALANDA_TEMPORAL_ADDRESS", raising=False)


def test_a_server_of_its_own_starts_first(tmp_path: Path) -> None:
    planned, _ = plan(Settings(data_dir=tmp_path))
    assert [service.name for service in planned.services] == ["temporal", "api", "worker"]
    environment = planned.services[-1].environment
    assert environment["NALANDA_TEMPORAL_ADDRESS"] == "127.0.0.1:7233"
    assert environment["NALANDA_TEMPORAL_UI_URL"] == "http://127.0.0.1:8233"
    assert str(tmp_path / "temporal.db") in planned.services[0].command


def test_a_server_that_is_named_is_used_and_none_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NALANDA_TEMPORAL_ADDRESS", "temporal.example:7233")
    planned, _ = plan(Settings(data_dir=tmp_path))
    assert [service.name for service in planned.services] == ["api", "worker"]
    assert planned.services[0].environment["NALANDA_TEMPORAL_ADDRESS"] == "temporal.example:7233"
    assert not stack.starts_temporal(Settings(data_dir=tmp_path))


def test_a_data_directory_is_absolute_for_the_services(tmp_path: Path) -> None:
    planned, _ = plan(Settings(data_dir=Path("here")))
    assert planned.services[-1].environment["NALANDA_DATA_DIR"] == str(tmp_path / "here")


def test_two_servers_never_share_a_file(tmp_path: Path) -> None:
    with (
        lock.lock_directory(tmp_path),
        pytest.raises(lock.InUse, match="in use by another"),
        lock.lock_directory(tmp_path),
    ):
        pass
