"""Discovery of the API that serves a data directory."""

import os
from pathlib import Path

import pytest

from cli import connection
from cli.processes import announcement
from cli.processes.announcement import announce, find_api
from cli.processes.lock import InUse
from core.settings import Settings

URL = "http://127.0.0.1:8003"


def test_it_is_found_as_long_as_it_runs(tmp_path: Path) -> None:
    assert find_api(tmp_path / "nowhere") is None
    with announce(tmp_path, URL):
        assert find_api(tmp_path) == URL
    assert (tmp_path / announcement.FILE).exists()
    assert find_api(tmp_path) is None


def test_there_is_one_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcement, "PATIENCE_S", 0)
    with (
        announce(tmp_path, URL),
        pytest.raises(InUse, match=rf"process {os.getpid()}\)"),
        announce(tmp_path, URL),
    ):
        pass


def test_commands_ask_the_api_of_their_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NALANDA_API_URL", raising=False)
    settings = Settings(data_dir=tmp_path)
    assert connection.locate_api(settings).api_url == "http://127.0.0.1:8000"
    with announce(tmp_path, URL):
        assert connection.locate_api(settings).api_url == URL
        named = Settings(data_dir=tmp_path, api_url="http://elsewhere:8000")
        assert connection.locate_api(named).api_url == "http://elsewhere:8000"
